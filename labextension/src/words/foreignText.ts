/** Prepares text of unknown origin for display: finds invisible characters, and shortens long text. */

/** A part of a text: visible characters, or one invisible character. */
export interface IPiece {
  readonly text: string;
  /** The name of the invisible character, for example `U+202E`; else null. */
  readonly mark: string | null;
}

/** The part of a text that is shown at first. */
export interface IExcerpt {
  readonly text: string;
  /** Whether something was left out. */
  readonly isCut: boolean;
  /** How many characters the whole text has. */
  readonly length: number;
}

/**
 * Characters that are invisible, or change the writing direction after them: with them, a text can look like another
 * one. Line feeds and tabs are left out, and so are joiners, which writing systems and emoji need.
 */
const INVISIBLE =
  /(?![\n\t\u200C\u200D])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u115F\u1160\u2800\u3164\uFFA0]/gu;

/** Split a text into its visible parts and its invisible characters. */
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
 * Return the beginning of a text: at most some lines and characters.
 *
 * A text that is at most a fifth longer than `maxCharacters` is not cut.
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
    // The cut may have left half of a surrogate pair.
    text: shown.replace(/[\uD800-\uDBFF]$/, ''),
    isCut: isLong || lines.length > maxLines,
    length: text.length
  };
}

/** Return a value of unknown type as text: a string unchanged but for its line ends, anything else as JSON. */
export function textOf(value: unknown): string {
  return typeof value === 'string'
    ? value.replace(/\r\n/g, '\n')
    : JSON.stringify(value, null, 2);
}

function codePoint(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}
