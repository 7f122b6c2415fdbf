/** Copies the example notebooks of the package. */

import { isExampleCopy } from '../protocol/bodies';
import { ApiClient } from './requests';

/** The names of the examples, in the order in which to read them. */
export const EXAMPLES = ['governed-notebook', 'governed-calls'] as const;

/** The name of an example. */
export type ExampleName = (typeof EXAMPLES)[number];

/** The client of this endpoint. */
export class ExampleApi extends ApiClient {
  /**
   * Copy an example into a folder under a name that is not taken yet.
   *
   * @returns The path of the copy on the server.
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
