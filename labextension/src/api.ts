/** The client of the server's REST API. */

import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import {
  API_NAMESPACE,
  type IGovernanceConfig,
  type IGovernanceState,
  isConfig,
  isErrorBody,
  isState
} from './protocol';

/** What the model asks of the server. */
export interface IGovernanceApi {
  /** The state of the notebook at a path local to the server. */
  state(path: string): Promise<IGovernanceState>;
  /** What the server's administrator configured. */
  config(): Promise<IGovernanceConfig>;
}

/** Why an answer could not be had, beside the codes that the server itself gives. */
export type FailureCode =
  'SERVER_UNREACHABLE' | 'NOT_ENABLED' | 'MALFORMED' | 'HTTP';

/** The server refused, could not be reached, or answered what nobody understands. */
export class GovernanceApiError extends Error {
  /**
   * @param code - The server's code, or a {@link FailureCode}.
   * @param message - A sentence for the person.
   * @param status - The HTTP status, or null where there was no answer.
   */
  constructor(
    readonly code: FailureCode | (string & {}),
    message: string,
    readonly status: number | null
  ) {
    super(message);
    this.name = 'GovernanceApiError';
  }

  /** Whether the same request may succeed later with nothing done about it. */
  get isTransient(): boolean {
    return this.status === null || this.status === 429 || this.status >= 500;
  }
}

/** The client; every promise it gives rejects with a {@link GovernanceApiError} only. */
export class GovernanceApi implements IGovernanceApi {
  constructor(options: GovernanceApi.IOptions) {
    this._settings = options.serverSettings;
  }

  state(path: string): Promise<IGovernanceState> {
    return this._get(`state${URLExt.objectToQueryString({ path })}`, isState);
  }

  config(): Promise<IGovernanceConfig> {
    return this._get('config', isConfig);
  }

  private async _get<T>(
    endpoint: string,
    guard: (value: unknown) => value is T
  ): Promise<T> {
    const url = URLExt.join(this._settings.baseUrl, API_NAMESPACE, endpoint);
    let response: Response;
    let body: unknown;
    try {
      response = await ServerConnection.makeRequest(url, {}, this._settings);
      body = parseJson(await response.text());
    } catch (reason) {
      throw new GovernanceApiError(
        'SERVER_UNREACHABLE',
        reason instanceof Error ? reason.message : String(reason),
        null
      );
    }
    if (!response.ok) {
      throw refusal(response, body);
    }
    if (!guard(body)) {
      throw new GovernanceApiError(
        'MALFORMED',
        `The server's answer to "${endpoint}" was not understood.`,
        response.status
      );
    }
    return body;
  }

  private readonly _settings: ServerConnection.ISettings;
}

/** A namespace for `GovernanceApi` statics. */
export namespace GovernanceApi {
  /** The instantiation options. */
  export interface IOptions {
    /** The server to ask. */
    serverSettings: ServerConnection.ISettings;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function refusal(response: Response, body: unknown): GovernanceApiError {
  if (isErrorBody(body)) {
    return new GovernanceApiError(body.code, body.message, response.status);
  }
  return new GovernanceApiError(
    response.status === 404 ? 'NOT_ENABLED' : 'HTTP',
    `The server answered ${response.status} ${response.statusText}`.trim(),
    response.status
  );
}
