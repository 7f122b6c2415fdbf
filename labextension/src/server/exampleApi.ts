/** The request that copies an example notebook of the package into the user's files. */

import { isExampleCopy } from '../protocol/bodies';
import { ApiClient } from './requests';

/** The names of the examples, in the order in which to read them. */
export const EXAMPLES = ['governed-notebook', 'governed-calls'] as const;

/** The name of an example. */
export type ExampleName = (typeof EXAMPLES)[number];

/** Sends the request to the server. */
export class ExampleApi extends ApiClient {
  /**
   * Copy an example into a folder of the server, under a name that no file there has yet.
   *
   * @returns The server-local path of the copy.
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
