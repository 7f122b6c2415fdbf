/** The example notebooks that come with the package. */

import { isExampleCopy } from '../protocol/bodies';
import { ApiClient } from './requests';

/** The examples, in reading order. */
export const EXAMPLES = ['governed-notebook', 'governed-calls'] as const;

/** The name of an example. */
export type ExampleName = (typeof EXAMPLES)[number];

/** The client. */
export class ExampleApi extends ApiClient {
  /**
   * Copy an example into a folder; no file is overwritten.
   *
   * @returns The path of the copy, local to the server.
   */
  async copy(name: ExampleName, folder: string): Promise<string> {
    const { path } = await this.requests.send(
      'POST',
      `examples/${name}`,
      isExampleCopy,
      { body: { folder } }
    );
    return path;
  }
}
