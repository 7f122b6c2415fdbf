import {
  MAX_USD,
  typedUsd,
  writeUsd,
  formatUsd,
  parseUsd,
  share
} from '../../words/money';
import { money } from '../support/samples';

describe('money', () => {
  it.each(money)(
    'reads and shows $decimal as $display',
    ({ nano, decimal, display }) => {
      expect(parseUsd(decimal)).toBe(BigInt(nano));
      expect(formatUsd(decimal)).toBe(display);
      expect(formatUsd(BigInt(nano))).toBe(display);
    }
  );

  it.each(['', ' 1', '1.', '.5', '1e3', 'NaN', '0.0000000001', '$1', '١'])(
    'refuses %j',
    text => {
      expect(() => parseUsd(text)).toThrow(RangeError);
    }
  );
});

describe('share', () => {
  it.each([
    [0n, 10n, 0],
    [0n, 0n, 0],
    [1n, 0n, 1],
    [1n, 4n, 0.25],
    [5n, 4n, 1],
    [-1n, 4n, 0],
    [1n, 3n, 0.333333333],
    [999_999_999_999_999_999n, 10n ** 18n, 0.999999999]
  ])('of %s in %s is %s', (part, whole, expected) => {
    expect(share(part, whole)).toBe(expected);
  });
});

describe('typedUsd', () => {
  it.each([
    ['5', 5_000_000_000n],
    [' $12.50 ', 12_500_000_000n],
    ['.5', 500_000_000n],
    ['0.000000001', 1n],
    ['1000000000', MAX_USD]
  ])('reads %j', (text, nano) => {
    expect(typedUsd(text)).toBe(nano);
  });

  it.each([
    '',
    ' ',
    '$',
    '.',
    '5.',
    '-1',
    '1e3',
    '1,50',
    '0.0000000001',
    '1000000000.000000001',
    '99999999999',
    'nan',
    '5 5'
  ])('refuses %j', text => {
    expect(typedUsd(text)).toBeNull();
  });
});

describe('writeUsd', () => {
  it.each(['0', '5', '12.5', '0.000000001', '1000000000'])(
    'writes %s back',
    text => {
      expect(writeUsd(typedUsd(text) ?? -1n)).toBe(text);
    }
  );
});
