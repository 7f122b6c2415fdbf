/**
 * Prepares text of unknown origin, such as code that is to be approved, for display: finds its invisible characters,
 * and shortens it if it is long.
 */

/** A part of a text: either visible characters, or one invisible character. */
export interface IPiece {
  readonly text: string;
  /** The name of the invisible character, for example `U+202E`; null for visible characters. */
  readonly mark: string | null;
}

/** The beginning of a text that is shown until the user presses "Show all". */
export interface IExcerpt {
  readonly text: string;
  /** Whether the text is longer than the excerpt. */
  readonly isCut: boolean;
  /** How many characters the whole text has. */
  readonly length: number;
}

/**
 * Matches characters that are invisible or change the writing direction of what follows. With them, a text can be made
 * to look like another text.
 *
 * It does not match line feeds and tabs, nor joiners, which some writing systems and emoji need.
 */
const INVISIBLE =
  /(?![\n\t\u200C\u200D])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u115F\u1160\u2800\u3164\uFFA0]/gu;

/** Split a text into runs of visible characters and single invisible characters, in order. */
export function pieces(text: string): IPiece[] {
  const found: IPiece[] = [];
  let from = 0;
  for (const match of text.matchAll(INVISIBLE)) {
    if (match.index > from) {
      found.push({ text: text.slice(from, match.index), mark: null });
    }
    found.push({ text: match[0], mark: codePoint(match[0]) });
    from = match.index + match[0].length;
  }
  if (from < text.length) {
    found.push({ text: text.slice(from), mark: null });
  }
  return found;
}

/**
 * Return the beginning of a text: at most `maxLines` lines and about `maxCharacters` characters.
 *
 * A text is cut only if it is more than a fifth longer than `maxCharacters`, so that never just a few characters are
 * hidden.
 */
export function excerpt(
  text: string,
  maxLines: number,
  maxCharacters: number
): IExcerpt {
  const lines = text.split('\n', maxLines + 1);
  const few = lines.slice(0, maxLines).join('\n');
  const isLong = few.length > 1.2 * maxCharacters;
  const shown = isLong ? few.slice(0, maxCharacters) : few;
  return {
    // The text may have been cut in the middle of a surrogate pair; then its first half is removed.
    text: shown.replace(/[\uD800-\uDBFF]$/, ''),
    isCut: isLong || lines.length > maxLines,
    length: text.length
  };
}

/** Return a value of unknown type as text: a string with line feeds as line ends, anything else as indented JSON. */
export function textOf(value: unknown): string {
  return typeof value === 'string'
    ? value.replace(/\r\n/g, '\n')
    : JSON.stringify(value, null, 2);
}

function codePoint(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}
