/** How every request to the server's REST API is made, and how its answer is read. */

import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { API_NAMESPACE, isErrorBody } from '../protocol/state';

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

/** What a request was rejected with; anything but a failure of its own means that the server could not be asked. */
export function asFailure(reason: unknown): GovernanceApiError {
  return reason instanceof GovernanceApiError
    ? reason
    : new GovernanceApiError('SERVER_UNREACHABLE', String(reason), null);
}

/** The parameters of a request's query; those that are null or undefined are left out. */
export type Parameters = Readonly<
  Record<string, string | number | null | undefined>
>;

/** Requests to one server; every promise rejects with a {@link GovernanceApiError} only. */
export class ServerRequests {
  /** @param namespace - Where the endpoints are under the server's base URL. */
  constructor(
    serverSettings: ServerConnection.ISettings,
    namespace: string = API_NAMESPACE
  ) {
    this._settings = serverSettings;
    this._namespace = namespace;
  }

  /** Where an endpoint is, for a link. */
  url(endpoint: string, parameters: Parameters = {}): string {
    const given = Object.fromEntries(
      Object.entries(parameters).filter(([, value]) => value != null)
    );
    return (
      URLExt.join(this._settings.baseUrl, this._namespace, endpoint) +
      URLExt.objectToQueryString(given)
    );
  }

  /** Read; an answer that the guard does not know is an error. */
  get<T>(
    endpoint: string,
    guard: (value: unknown) => value is T,
    parameters: Parameters = {}
  ): Promise<T> {
    return this._request(endpoint, guard, parameters, {});
  }

  /**
   * Change something.
   *
   * @param key - The same key makes the same request safe to repeat: it is done once.
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
        `The server's answer to "${endpoint}" was not understood.`,
        response.status
      );
    }
    return body;
  }

  private readonly _settings: ServerConnection.ISettings;
  private readonly _namespace: string;
}

/** A namespace for `ServerRequests` statics. */
export namespace ServerRequests {
  /** What a request that changes something may carry. */
  export interface ISendOptions {
    parameters?: Parameters;
    body?: Readonly<Record<string, unknown>>;
    key?: string;
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
