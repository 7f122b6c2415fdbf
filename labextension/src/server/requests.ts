/**
 * Sends requests to this extension's REST API on the server, validates the responses, and turns failures into errors
 * with a code.
 */

import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { API_NAMESPACE, isErrorBody } from '../protocol/state';

/**
 * The codes of failures for which the server sent no code: it could not be reached, has no such endpoint, sent an
 * invalid response, or responded with another HTTP error.
 */
export type FailureCode =
  'SERVER_UNREACHABLE' | 'NOT_ENABLED' | 'MALFORMED' | 'HTTP';

/** The error of a failed request: the server refused the request, could not be reached, or sent an invalid response. */
export class GovernanceApiError extends Error {
  /**
   * @param code - The code that the server sent, or a {@link FailureCode}.
   * @param message - A sentence for the user.
   * @param status - The HTTP status of the response; null if there was no response.
   */
  constructor(
    readonly code: FailureCode | (string & {}),
    message: string,
    readonly status: number | null
  ) {
    super(message);
    this.name = 'GovernanceApiError';
  }

  /** Whether the same request may succeed later although the user changes nothing. */
  get isTransient(): boolean {
    return this.status === null || this.status === 429 || this.status >= 500;
  }
}

/**
 * Return the reason of a rejected promise as a {@link GovernanceApiError}; another error is reported as an unreachable
 * server.
 */
export function asFailure(reason: unknown): GovernanceApiError {
  return reason instanceof GovernanceApiError
    ? reason
    : new GovernanceApiError('SERVER_UNREACHABLE', String(reason), null);
}

/** The query parameters of a request; parameters that are null or undefined are not sent. */
export type Parameters = Readonly<
  Record<string, string | number | null | undefined>
>;

/** Sends requests to one server. Its promises reject only with a {@link GovernanceApiError}. */
export class ServerRequests {
  /** @param namespace - The path of the endpoints under the server's base URL. */
  constructor(
    serverSettings: ServerConnection.ISettings,
    namespace: string = API_NAMESPACE
  ) {
    this._settings = serverSettings;
    this._namespace = namespace;
  }

  /** Return the URL of an endpoint, for a request or for a link in the page. */
  url(endpoint: string, parameters: Parameters = {}): string {
    const present = Object.fromEntries(
      Object.entries(parameters).filter(([, value]) => value != null)
    );
    return (
      URLExt.join(this._settings.baseUrl, this._namespace, endpoint) +
      URLExt.objectToQueryString(present)
    );
  }

  /** Send a GET request and return the body of the response; rejects if the guard does not accept the body. */
  get<T>(
    endpoint: string,
    guard: (value: unknown) => value is T,
    parameters: Parameters = {}
  ): Promise<T> {
    return this._request(endpoint, guard, parameters, {});
  }

  /**
   * Send a request that changes something, and return the body of the response; rejects if the guard does not accept
   * the body.
   */
  send<T>(
    method: 'POST' | 'PATCH' | 'DELETE',
    endpoint: string,
    guard: (value: unknown) => value is T,
    options: ServerRequests.ISendOptions = {}
  ): Promise<T> {
    const { parameters = {}, body = {}, key } = options;
    return this._request(endpoint, guard, parameters, {
      method,
      body: JSON.stringify(body),
      headers: {
        'Content-Type': 'application/json',
        ...(key === undefined ? {} : { 'Idempotency-Key': key })
      }
    });
  }

  private async _request<T>(
    endpoint: string,
    guard: (value: unknown) => value is T,
    parameters: Parameters,
    init: RequestInit
  ): Promise<T> {
    const url = this.url(endpoint, parameters);
    let response: Response;
    let body: unknown;
    try {
      response = await ServerConnection.makeRequest(url, init, this._settings);
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
        `The server's response to "${endpoint}" is invalid. Reload the page: it may be older than the server.`,
        response.status
      );
    }
    return body;
  }

  private readonly _settings: ServerConnection.ISettings;
  private readonly _namespace: string;
}

/** A namespace for the types that belong to `ServerRequests`. */
export namespace ServerRequests {
  /**
   * The optional parts of a request that changes something. `key` is its idempotency key: a request that is repeated
   * with the same key has no further effect.
   */
  export interface ISendOptions {
    parameters?: Parameters;
    body?: Readonly<Record<string, unknown>>;
    key?: string;
  }
}

/** The base class of the clients of the REST API. Their promises reject only with a {@link GovernanceApiError}. */
export class ApiClient {
  constructor(options: ApiClient.IOptions) {
    this.requests = new ServerRequests(options.serverSettings);
  }

  protected readonly requests: ServerRequests;
}

/** A namespace for the types that belong to `ApiClient`. */
export namespace ApiClient {
  /** The options of the constructor of `ApiClient`. */
  export interface IOptions {
    /** The server's connection settings. */
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
    `The server responded with ${response.status} ${response.statusText}`.trim(),
    response.status
  );
}
