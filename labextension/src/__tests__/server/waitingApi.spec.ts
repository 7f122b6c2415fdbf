import { AuditApi } from '../../server/auditApi';
import { WaitingApi } from '../../server/waitingApi';
import type { IApproval } from '../../protocol/waiting';
import {
  approvals,
  audit,
  corrections,
  errors,
  holds,
  reports
} from '../support/samples';
import { respondingWith, json } from '../support/server';

const BASE = '/user/ada/aumos-governance/v1/';

function waiting(body: unknown, status = 200): [WaitingApi, Request[]] {
  const { serverSettings, requests } = respondingWith(json(body, status));
  return [new WaitingApi({ serverSettings }), requests];
}

function trail(body: unknown): [AuditApi, Request[]] {
  const { serverSettings, requests } = respondingWith(json(body));
  return [new AuditApi({ serverSettings }), requests];
}

/** The request, without the parameter that JupyterLab adds against caches. */
function requested(requests: readonly Request[]): [string, string, object] {
  const [request] = requests;
  if (!request || requests.length > 1) {
    throw new Error(`There were ${requests.length} requests.`);
  }
  const url = new URL(request.url);
  const parameters = Object.fromEntries(
    [...url.searchParams].filter(([name]) => !/^\d+$/.test(name))
  );
  return [request.method, url.pathname, parameters];
}

describe('WaitingApi', () => {
  it.each([
    ['holds', holds.valid.more, holds.valid.more.holds],
    ['approvals', approvals.valid.one, approvals.valid.one.approvals],
    ['reports', reports.valid.one, reports.valid.one.reports]
  ] as const)('reads a page of %s', async (name, body, entries) => {
    const [api, requests] = waiting(body);
    const page = await api[name]({ path: 'a b.ipynb', after: null, limit: 7 });
    expect(page).toEqual({ entries, after: body.after });
    expect(requested(requests)).toEqual([
      'GET',
      BASE + name,
      { path: 'a b.ipynb', limit: '7' }
    ]);
  });

  it('decides exactly what was shown, with an idempotency key', async () => {
    const [api, requests] = waiting(approvals.responses.approved);
    const pending = approvals.valid.one.approvals[0] as IApproval;
    const response = await api.decide(pending, 'approve', 'k-1');
    expect(response.decided_by).toBe('teacher');
    expect(requested(requests)).toEqual([
      'POST',
      `${BASE}approvals/${pending.id}`,
      {}
    ]);
    expect(requests[0]?.headers.get('Idempotency-Key')).toBe('k-1');
    expect(await requests[0]?.json()).toEqual({
      decision: 'approve',
      digest: pending.digest
    });
  });

  it.each([
    [
      'settle',
      holds.responses.settled,
      'holds/id%2F1/settle',
      { amount: '0.02' }
    ],
    ['release', holds.responses.released, 'holds/id%2F1/release', {}],
    [
      'acknowledge',
      reports.responses.acknowledged,
      'reports/id%2F1/acknowledge',
      {}
    ]
  ] as const)('can %s', async (name, body, endpoint, sent) => {
    const [api, requests] = waiting(body);
    const response =
      name === 'settle'
        ? await api.settle('id/1', '0.02', 'k-2')
        : await api[name]('id/1', 'k-2');
    expect(response).toEqual(body);
    expect(requested(requests)).toEqual(['POST', BASE + endpoint, {}]);
    expect(requests[0]?.headers.get('Idempotency-Key')).toBe('k-2');
    expect(await requests[0]?.json()).toEqual(sent);
  });

  it('takes back a charge with a reason', async () => {
    const [api, requests] = waiting(corrections.valid.part);
    const correction = { charge_id: 'c', amount: '0.02', reason: 'Twice' };
    await expect(api.correct(correction, 'k-3')).resolves.toEqual(
      corrections.valid.part
    );
    expect(requested(requests)).toEqual(['POST', `${BASE}corrections`, {}]);
    expect(await requests[0]?.json()).toEqual(correction);
  });

  it('hands on what the server refuses', async () => {
    const { body, status } = errors.refused;
    const [api] = waiting(body, status);
    await expect(api.release('x', 'k')).rejects.toMatchObject(body);
  });
});

describe('AuditApi', () => {
  it('reads a page by what is given of the filters', async () => {
    const [api, requests] = trail(audit.pages.more);
    const filters = {
      path: 'a.ipynb',
      tool: null,
      text: 'ü&',
      outcome: 'deny'
    };
    await expect(
      api.records(filters as never, 500, 'WyJhIiwxXQ==')
    ).resolves.toEqual(audit.pages.more);
    expect(requested(requests)).toEqual([
      'GET',
      `${BASE}audit`,
      {
        path: 'a.ipynb',
        text: 'ü&',
        outcome: 'deny',
        limit: '500',
        cursor: 'WyJhIiwxXQ=='
      }
    ]);
  });

  it('reads sums', async () => {
    const [api, requests] = trail(audit.sums.day);
    await expect(api.sums('day', { session_id: 's' })).resolves.toEqual(
      audit.sums.day
    );
    expect(requested(requests)).toEqual([
      'GET',
      `${BASE}audit/sums`,
      { session_id: 's', by: 'day' }
    ]);
  });

  it.each([
    ['a.ipynb', { path: 'a.ipynb' }],
    [null, {}]
  ])('verifies what belongs to %s', async (path, parameters) => {
    const [api, requests] = trail(audit.verifications.intact);
    await expect(api.verify(path)).resolves.toEqual(audit.verifications.intact);
    expect(requested(requests)).toEqual([
      'GET',
      `${BASE}audit/verify`,
      parameters
    ]);
  });

  it('knows where a file is', () => {
    const [api] = trail(null);
    const url = new URL(api.exportUrl('csv', { tool: '=1+1', agent_id: null }));
    expect(url.pathname).toBe(`${BASE}audit/export`);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      tool: '=1+1',
      format: 'csv'
    });
  });
});
