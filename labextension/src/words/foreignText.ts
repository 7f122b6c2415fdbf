/** Text of unknown origin, made fit to be shown: nothing in it is invisible, and it may be cut for a start. */

/** A stretch of text as it is, or a character that nobody could see. */
export interface IPiece {
  readonly text: string;
  /** The name of the invisible character that the piece stands for, `U+202E` for example; else null. */
  readonly mark: string | null;
}

/** What of a text is shown at first. */
export interface IExcerpt {
  readonly text: string;
  /** Whether something was left out. */
  readonly isCut: boolean;
  /** How many characters the whole text has. */
  readonly length: number;
}

/**
 * What has no shape of its own, or changes the direction of what follows: text could say one thing and look like
 * another. Line feeds and tabs are seen; joiners belong to writing systems and emoji.
 */
const INVISIBLE =
  /(?![\n\t\u200C\u200D])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u115F\u1160\u2800\u3164\uFFA0]/gu;

/** Split a text where there are invisible characters. */
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
 * The beginning of a text: at most so many lines and characters.
 *
 * A text that is longer by a few characters only is not cut.
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
    // Half of a surrogate pair is no character.
    text: shown.replace(/[\uD800-\uDBFF]$/, ''),
    isCut: isLong || lines.length > maxLines,
    length: text.length
  };
}

/** A value of unknown shape as text: text as it is, all else as JSON. */
export function textOf(value: unknown): string {
  return typeof value === 'string'
    ? value.replace(/\r\n/g, '\n')
    : JSON.stringify(value, null, 2);
}

function codePoint(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}
