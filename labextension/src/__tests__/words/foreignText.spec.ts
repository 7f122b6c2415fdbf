import { excerpt, pieces, textOf } from '../../words/foreignText';

describe('pieces', () => {
  it.each([
    ['plain', ['plain']],
    ['', []],
    ['one\ntwo\tthree', ['one\ntwo\tthree']],
    ['a\u202Eb', ['a', '[U+202E]', 'b']],
    ['\u2066x\u2069', ['[U+2066]', 'x', '[U+2069]']],
    ['a\u0000\u001Bb', ['a', '[U+0000]', '[U+001B]', 'b']],
    ['zero\u200Bwidth\uFEFF', ['zero', '[U+200B]', 'width', '[U+FEFF]']],
    ['line\u2028end', ['line', '[U+2028]', 'end']],
    ['tag\u{E0041}', ['tag', '[U+E0041]']],
    ['\u3164', ['[U+3164]']]
  ])('makes what is invisible in %j visible', (text, expected) => {
    expect(
      pieces(text).map(({ text, mark }) => (mark === null ? text : `[${mark}]`))
    ).toEqual(expected);
    expect(
      pieces(text)
        .map(piece => piece.text)
        .join('')
    ).toBe(text);
  });

  it.each(['שלום', '👩‍👩‍👧', 'می‌خواهم', 'naïve ﬁ'])(
    'leaves %s as it is written',
    text => {
      expect(pieces(text)).toEqual([{ text, mark: null }]);
    }
  );
});

describe('excerpt', () => {
  it.each([
    ['short', { text: 'short', isCut: false, length: 5 }],
    ['a\nb\nc', { text: 'a\nb\nc', isCut: false, length: 5 }],
    ['a\nb\nc\nd', { text: 'a\nb\nc', isCut: true, length: 7 }],
    ['x'.repeat(12), { text: 'x'.repeat(12), isCut: false, length: 12 }],
    ['x'.repeat(13), { text: 'x'.repeat(10), isCut: true, length: 13 }],
    [`${'x'.repeat(9)}😀xxx`, { text: 'x'.repeat(9), isCut: true, length: 14 }]
  ])('takes of %j what is bearable', (text, expected) => {
    expect(excerpt(text, 3, 10)).toEqual(expected);
  });
});

describe('textOf', () => {
  it.each([
    ['as it is\r\nwritten', 'as it is\nwritten'],
    [{ a: [1] }, '{\n  "a": [\n    1\n  ]\n}'],
    [0.5, '0.5'],
    [true, 'true']
  ])('writes %j as text', (value, expected) => {
    expect(textOf(value)).toBe(expected);
  });
});
