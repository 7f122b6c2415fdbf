/** A fake server for the tests of API clients: its response, and the requests to it. */

import { ServerConnection } from '@jupyterlab/services';

export type Respond = () => Promise<Response>;

/** The settings of a server that gives one response to every request. */
export function respondingWith(respond: Respond): {
  serverSettings: ServerConnection.ISettings;
  requests: Request[];
} {
  const requests: Request[] = [];
  const serverSettings = ServerConnection.makeSettings({
    baseUrl: 'http://localhost:8888/user/ada/',
    token: 'secret',
    fetch: (request: RequestInfo | URL) => {
      requests.push(request as Request);
      return respond();
    }
  });
  return { serverSettings, requests };
}

export function json(body: unknown, status = 200): Respond {
  return () => Promise.resolve(new Response(JSON.stringify(body), { status }));
}
