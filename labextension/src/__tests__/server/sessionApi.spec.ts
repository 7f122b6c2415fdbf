import { SessionApi } from '../../server/sessionApi';
import { GovernanceApi } from '../../server/api';
import { isEnvelopes, isKernels, isNotebookPage } from '../../protocol/session';
import { envelopes, kernels, states } from '../support/samples';
import { respondingWith, json } from '../support/server';

const STATE = states.valid.active;

describe('SessionApi', () => {
  it('changes what stands', async () => {
    const { serverSettings, requests } = respondingWith(json(STATE));
    const api = new SessionApi({ serverSettings });
    await expect(
      api.change('a b.ipynb', { trust_level: 4, budget: '2.5' }, 'key-1')
    ).resolves.toEqual(STATE);
    const [request] = requests;
    expect(request?.method).toBe('PATCH');
    expect(request?.url).toMatch(/\/v1\/state\?path=a%20b\.ipynb/);
    expect(request?.headers.get('Idempotency-Key')).toBe('key-1');
    await expect(request?.json()).resolves.toEqual({
      trust_level: 4,
      budget: '2.5'
    });
  });

  it('closes', async () => {
    const { serverSettings, requests } = respondingWith(
      json(states.valid.closed)
    );
    await new SessionApi({ serverSettings }).close('a.ipynb', 'key-2');
    expect(requests[0]?.method).toBe('POST');
    expect(requests[0]?.url).toMatch(/\/v1\/close\?path=a\.ipynb/);
    expect(requests[0]?.headers.get('Idempotency-Key')).toBe('key-2');
  });

  it('reads the ceilings around a notebook', async () => {
    const body = envelopes.valid.nested;
    const { serverSettings } = respondingWith(json(body));
    const api = new SessionApi({ serverSettings });
    await expect(api.envelopes('a.ipynb')).resolves.toEqual(body.envelopes);
  });

  it('reads the kernels of the server', async () => {
    const body = kernels.valid.mixed;
    const { serverSettings, requests } = respondingWith(json(body));
    const api = new SessionApi({ serverSettings });
    await expect(api.kernels()).resolves.toEqual(body.kernels);
    expect(requests[0]?.url).toMatch(/\/v1\/kernels\b/);
  });

  it('reads all notebooks by pages', async () => {
    const { serverSettings, requests } = respondingWith(
      json({ notebooks: [STATE], after: 'a.ipynb' })
    );
    const page = await new SessionApi({ serverSettings }).notebooks('0.ipynb');
    expect(page).toEqual({ entries: [STATE], after: 'a.ipynb' });
    expect(requests[0]?.url).toMatch(/\/v1\/notebooks\?after=0\.ipynb/);
  });
});

describe('GovernanceApi.mayChange', () => {
  it.each([
    [['write'], true],
    [[], false],
    [undefined, false]
  ])('reads %j as %s', async (actions, expected) => {
    const { serverSettings, requests } = respondingWith(
      json({ identity: {}, permissions: { 'aumos-governance': actions } })
    );
    const api = new GovernanceApi({ serverSettings });
    await expect(api.mayChange()).resolves.toBe(expected);
    expect(requests[0]?.url).toContain('/api/me?permissions=');
  });
});

describe('isEnvelopes', () => {
  it.each(Object.entries(envelopes.valid))('takes %s', (_, body) => {
    expect(isEnvelopes(body)).toBe(true);
  });

  it.each(Object.entries(envelopes.malformed))('refuses %s', (_, body) => {
    expect(isEnvelopes(body)).toBe(false);
  });
});

describe('isKernels', () => {
  it.each(Object.entries(kernels.valid))('takes %s', (_, body) => {
    expect(isKernels(body)).toBe(true);
  });

  it.each(Object.entries(kernels.malformed))('refuses %s', (_, body) => {
    expect(isKernels(body)).toBe(false);
  });
});

describe('isNotebookPage', () => {
  it.each(Object.entries(states.valid))('takes a page of %s', (_, state) => {
    expect(isNotebookPage({ notebooks: [state], after: null })).toBe(true);
  });

  it.each(Object.entries(states.malformed))('refuses one of %s', (_, state) => {
    expect(isNotebookPage({ notebooks: [state], after: null })).toBe(false);
  });
});
