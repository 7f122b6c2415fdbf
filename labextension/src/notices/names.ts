import { PathExt } from '@jupyterlab/coreutils';
import { isolated, oneLine } from '../words/labels';

/** The name of a notebook in a sentence. */
export function fileName(path: string): string {
  return quoted(PathExt.basename(path));
}

/** Text shortened and isolated, so that its length and writing direction do not affect the text around it. */
export function quoted(text: string): string {
  const line = oneLine(text);
  return isolated(line.length > 60 ? `${line.slice(0, 59)}…` : line);
}
