import { PathExt } from '@jupyterlab/coreutils';
import { isolated, oneLine } from '../words/labels';

/** Return the file name of a notebook for use in a sentence. */
export function fileName(path: string): string {
  return quoted(PathExt.basename(path));
}

/**
 * Return text of unknown origin, such as a tool's name, for use in a sentence: on one line of at most 60 characters,
 * and with its writing direction isolated from the sentence.
 */
export function quoted(text: string): string {
  const line = oneLine(text);
  return isolated(line.length > 60 ? `${line.slice(0, 59)}…` : line);
}
