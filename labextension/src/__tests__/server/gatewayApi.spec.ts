import type { ICreatedKey, IGatewayKey } from '../../protocol/gateway';
import { GatewayApi } from '../../server/gatewayApi';
import { respondingWith, json } from '../support/server';

const BASE = '/user/ada/aumos-governance/v1/';
const KEY: IGatewayKey = {
  id: 'id/1',
  kind: 'terminal',
  name: 'terminal 1',
  path: null,
  kernel_id: null,
  terminal: '1',
  issued_at: '2026-11-22T12:00:00Z',
  issued_by: 'server'
};
const CREATED: ICreatedKey = {
  key: { ...KEY, kind: 'user', name: 'report', path: 'key:report' },
  secret: 'sk-aumos-secret',
  environment: { OPENAI_API_KEY: 'sk-aumos-secret' },
  withheld: []
};

function gateway(body: unknown): [GatewayApi, Request[]] {
  const { serverSettings, requests } = respondingWith(json(body));
  return [new GatewayApi({ serverSettings }), requests];
}

/** The only request that was made: method, path, idempotency key and body. */
async function made(requests: readonly Request[]): Promise<unknown[]> {
  const [request] = requests;
  if (!request || requests.length > 1) {
    throw new Error(`There were ${requests.length} requests.`);
  }
  const { pathname, searchParams } = new URL(request.url);
  return [
    request.method,
    pathname,
    searchParams.get('path'),
    request.headers.get('Idempotency-Key'),
    request.method === 'GET' ? null : ((await request.json()) as unknown)
  ];
}

describe('GatewayApi', () => {
  it('reads the keys', async () => {
    const [api, requests] = gateway({ enabled: true, keys: [KEY] });
    expect(await api.keys()).toEqual([KEY]);
    expect(await made(requests)).toEqual([
      'GET',
      `${BASE}keys`,
      null,
      null,
      null
    ]);
  });

  it('creates a key', async () => {
    const [api, requests] = gateway(CREATED);
    const wanted = { name: 'report', trust_level: 1, budget: '2.5' };
    expect((await api.create(wanted, 'k-1')).secret).toBe('sk-aumos-secret');
    expect(await made(requests)).toEqual([
      'POST',
      `${BASE}keys`,
      null,
      'k-1',
      wanted
    ]);
  });

  it('binds and revokes a key', async () => {
    const [api, requests] = gateway({ ...KEY, path: 'a.ipynb' });
    expect((await api.bind('id/1', 'a.ipynb', 'k-2')).path).toBe('a.ipynb');
    expect(await made(requests)).toEqual([
      'PATCH',
      `${BASE}keys/id%2F1`,
      null,
      'k-2',
      { path: 'a.ipynb' }
    ]);
    const [other, sent] = gateway({ id: 'id/1', revoked: true });
    await other.revoke('id/1', 'k-3');
    expect(await made(sent)).toEqual([
      'DELETE',
      `${BASE}keys/id%2F1`,
      null,
      'k-3',
      {}
    ]);
  });

  it('stops a notebook', async () => {
    const [api, requests] = gateway({ revoked: [KEY] });
    expect(await api.stop('a b.ipynb', 'k-4')).toEqual([KEY]);
    expect(await made(requests)).toEqual([
      'POST',
      `${BASE}stop`,
      'a b.ipynb',
      'k-4',
      {}
    ]);
  });

  it('takes no body without the keys', async () => {
    const [api] = gateway({ enabled: true });
    await expect(api.keys()).rejects.toMatchObject({ code: 'MALFORMED' });
  });
});
