/** The example notebooks that come with the package. */

import type { ServerConnection } from '@jupyterlab/services';
import { isExampleCopy } from '../protocol/bodies';
import { ServerRequests } from './requests';

/** The examples, in reading order. */
export const EXAMPLES = ['governed-notebook', 'governed-calls'] as const;

/** The name of an example. */
export type ExampleName = (typeof EXAMPLES)[number];

/** The client; all its promises reject only with a `GovernanceApiError`. */
export class ExampleApi {
  constructor(options: ExampleApi.IOptions) {
    this._requests = new ServerRequests(options.serverSettings);
  }

  /**
   * Copy an example into a folder; no file is overwritten.
   *
   * @returns The path of the copy, local to the server.
   */
  async copy(name: ExampleName, folder: string): Promise<string> {
    const { path } = await this._requests.send(
      'POST',
      `examples/${name}`,
      isExampleCopy,
      { body: { folder } }
    );
    return path;
  }

  private readonly _requests: ServerRequests;
}

/** A namespace for `ExampleApi` statics. */
export namespace ExampleApi {
  /** The instantiation options. */
  export interface IOptions {
    serverSettings: ServerConnection.ISettings;
  }
}
