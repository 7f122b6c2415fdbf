import {
  fieldUsd,
  MAX_USD,
  shortUsd,
  writeAmountsIn,
  typedUsd,
  writeUsd,
  formatUsd,
  parseUsd,
  share
} from '../../words/money';
import { money } from '../support/samples';

/** An amount as the server writes it: with no separators of thousands, and with a hyphen for a minus. */
function plainly(text: string): string {
  return text.replaceAll(',', '').replace('\u2212', '-');
}

describe('money', () => {
  it.each(money)(
    'reads and shows $decimal as $display',
    ({ nano, decimal, display }) => {
      expect(parseUsd(decimal)).toBe(BigInt(nano));
      expect(plainly(formatUsd(decimal))).toBe(display);
      expect(plainly(formatUsd(BigInt(nano)))).toBe(display);
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

describe('amounts to read', () => {
  afterEach(() => writeAmountsIn('en-US'));

  it.each([
    ['1234.5', '$1,234.50'],
    ['-1234567.25', '\u2212$1,234,567.25'],
    ['13580.2378912', '$13,580.2378912']
  ])('have separators and a minus sign: %s', (amount, text) => {
    expect(formatUsd(amount)).toBe(text);
  });

  it.each([
    ['13580.2378912', '$13,580.2379'],
    ['0.000012345', '$0.00001234'],
    ['0.000012355', '$0.00001236'],
    ['0.999999999', '$1.00'],
    ['0.0004', '$0.0004'],
    ['9.99995', '$10.00'],
    ['0.000000001', '$0.000000001'],
    ['-2.00005', '\u2212$2.00'],
    ['0', '$0.00']
  ])('are short at a glance: %s is %s', (amount, text) => {
    expect(shortUsd(amount)).toBe(text);
  });

  it('are written as the language of the page writes them', () => {
    expect(fieldUsd('1.7')).toBe('1.7');
    writeAmountsIn('de-DE');
    expect(formatUsd('13580.2378912')).toBe('13.580,2378912\u00a0$');
    expect(formatUsd('-1.5')).toBe('\u22121,50\u00a0$');
    expect(typedUsd('12,50')).toBe(12_500_000_000n);
    expect(typedUsd('12.50 $')).toBe(12_500_000_000n);
    expect(fieldUsd('1.7')).toBe('1,7');
    writeAmountsIn('no language');
    expect(formatUsd('1')).toContain('1');
  });
});
