import { GovernanceApi } from '../../server/api';
import { GovernanceApiError } from '../../server/requests';
import { configs, errors, sampleState, states } from '../support/samples';
import { type Respond, respondingWith, json } from '../support/server';

function api(respond: Respond): { api: GovernanceApi; requests: Request[] } {
  const { serverSettings, requests } = respondingWith(respond);
  return { api: new GovernanceApi({ serverSettings }), requests };
}

async function failure(promise: Promise<unknown>): Promise<GovernanceApiError> {
  const reason: unknown = await promise.then(
    () => null,
    (error: unknown) => error
  );
  expect(reason).toBeInstanceOf(GovernanceApiError);
  return reason as GovernanceApiError;
}

describe('GovernanceApi', () => {
  it('requests the state of a path with any characters', async () => {
    const state = sampleState('odd_text');
    const client = api(json(state));
    await expect(client.api.state(state.path)).resolves.toEqual(state);
    const url = new URL(client.requests[0]?.url ?? '');
    expect(url.pathname).toBe('/user/ada/aumos-governance/v1/state');
    expect(url.searchParams.get('path')).toBe(state.path);
    expect(client.requests[0]?.headers.get('Authorization')).toBe(
      'token secret'
    );
  });

  it('requests the configuration', async () => {
    const client = api(json(configs.valid.classroom));
    await expect(client.api.config()).resolves.toEqual(configs.valid.classroom);
    expect(new URL(client.requests[0]?.url ?? '').pathname).toBe(
      '/user/ada/aumos-governance/v1/config'
    );
  });

  it.each(Object.entries(errors))(
    'passes on the error of the server when %s',
    async (_, { status, body }) => {
      const error = await failure(api(json(body, status)).api.state('a.ipynb'));
      expect(error).toMatchObject({ ...body, status });
      expect(error.isTransient).toBe(status >= 500);
    }
  );

  it('knows a server without our extension', async () => {
    const respond = json({ message: 'Not Found', reason: null }, 404);
    expect(await failure(api(respond).api.state('a.ipynb'))).toMatchObject({
      code: 'NOT_ENABLED',
      status: 404,
      isTransient: false
    });
  });

  it('knows an error page', async () => {
    const respond: Respond = () =>
      Promise.resolve(
        new Response('<h1>Bad Gateway</h1>', {
          status: 502,
          statusText: 'Bad Gateway'
        })
      );
    expect(await failure(api(respond).api.config())).toMatchObject({
      code: 'HTTP',
      message: 'The server responded with 502 Bad Gateway',
      isTransient: true
    });
  });

  it('recognizes a server that does not respond', async () => {
    const respond: Respond = () => Promise.reject(new TypeError('no route'));
    expect(await failure(api(respond).api.state('a.ipynb'))).toMatchObject({
      code: 'SERVER_UNREACHABLE',
      status: null,
      isTransient: true
    });
  });

  it.each([
    ['a malformed body', json(states.malformed.float_money)],
    ['no JSON', () => Promise.resolve(new Response('hello'))]
  ] as [string, Respond][])('rejects %s as a response', async (_, a) => {
    expect(await failure(api(a).api.state('a.ipynb'))).toMatchObject({
      code: 'MALFORMED',
      isTransient: false
    });
  });
});
