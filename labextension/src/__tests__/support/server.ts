/** A server's answers, and what was asked of it, as a client's test wants them. */

import { ServerConnection } from '@jupyterlab/services';

export type Answer = () => Promise<Response>;

/** Settings of a server that gives one answer to all that it is asked. */
export function answering(answer: Answer): {
  serverSettings: ServerConnection.ISettings;
  requests: Request[];
} {
  const requests: Request[] = [];
  const serverSettings = ServerConnection.makeSettings({
    baseUrl: 'http://localhost:8888/user/ada/',
    token: 'secret',
    fetch: (request: RequestInfo | URL) => {
      requests.push(request as Request);
      return answer();
    }
  });
  return { serverSettings, requests };
}

export function json(body: unknown, status = 200): Answer {
  return () => Promise.resolve(new Response(JSON.stringify(body), { status }));
}
