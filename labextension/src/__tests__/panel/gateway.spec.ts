import type { ICreatedKey, IGatewayKey } from '../../protocol/gateway';
import { gatewaySection } from '../../panel/sections/gateway';
import type { IGatewayApi, INewKey } from '../../server/gatewayApi';
import { sampleConfig } from '../support/samples';
import { panelOfEachTest, PATH } from './panelScene';

function key(
  id: string,
  kind: IGatewayKey['kind'],
  path: string | null,
  changes: Partial<IGatewayKey> = {}
): IGatewayKey {
  return {
    id,
    kind,
    name: id,
    path,
    kernel_id: null,
    terminal: kind === 'terminal' ? id : null,
    issued_at: '2026-11-22T12:00:59Z',
    issued_by: 'server',
    ...changes
  };
}

describe('the gateway in the panel', () => {
  const panel = panelOfEachTest();
  let keys: IGatewayKey[];
  let refusal: Error | null;
  const done: [string, ...unknown[]][] = [];
  const shown: ICreatedKey[] = [];

  function respond<T>(value: T): Promise<T> {
    return refusal ? Promise.reject(refusal) : Promise.resolve(value);
  }

  const api: IGatewayApi = {
    keys: () => respond([...keys]),
    create: (wanted: INewKey) => {
      done.push(['create', wanted]);
      const created = key('new', 'user', `key:${wanted.name}`, {
        name: wanted.name
      });
      keys.push(created);
      return respond({
        key: created,
        secret: 'sk-aumos-secret',
        environment: {},
        withheld: []
      });
    },
    bind: (id, path) => {
      done.push(['bind', id, path]);
      keys = keys.map(one => (one.id === id ? { ...one, path } : one));
      return respond(key(id, 'terminal', path));
    },
    revoke: id => {
      done.push(['revoke', id]);
      keys = keys.filter(one => one.id !== id);
      return respond({});
    },
    stop: path => {
      done.push(['stop', path]);
      const revoked = keys.filter(one => one.path === path);
      keys = keys.filter(one => one.path !== path);
      return respond(revoked);
    }
  };

  beforeEach(async () => {
    keys = [
      key('k', 'kernel', PATH),
      key('1', 'terminal', PATH, { issued_at: null }),
      key('nightly.sh', 'run', PATH),
      key('2', 'terminal', 'other.ipynb'),
      key('3', 'terminal', null),
      key('o', 'kernel', 'other.ipynb'),
      key('report', 'user', 'key:report')
    ];
    refusal = null;
    done.length = 0;
    shown.length = 0;
    await panel.settle(() => {
      panel.model.become({ config: sampleConfig('with_gateway') });
      panel.body.addSection(
        gatewaySection({ api, showKey: created => shown.push(created) })
      );
    });
  });

  function listed(): (string | null)[] {
    return panel
      .findAll('[data-section=gateway] .aumos-Key-facts')
      .map(node => node.textContent);
  }

  it('is left out where there is none', async () => {
    await panel.show('active');
    expect(panel.section('gateway')).not.toBeNull();
    await panel.settle(() => panel.model.become({ config: sampleConfig() }));
    expect(panel.section('gateway')).toBeNull();
  });

  it('lists the providers and their models', async () => {
    await panel.show('active');
    const rows = [...(panel.section('gateway')?.querySelectorAll('dd') ?? [])];
    expect(rows.map(row => row.textContent)).toEqual([
      'gpt-5-mini, gpt-5-nano',
      'claude-*, except claude-opus-*',
      'all models except *-pro',
      'all models'
    ]);
  });

  it('lists the keys of the notebook, of other terminals and of the user', async () => {
    await panel.show('active');
    expect(listed()).toEqual([
      'Kernel9 min ago',
      'Terminal 1just now',
      'Command nightly.sh9 min ago',
      'Terminal 29 min agoother.ipynb',
      'Terminal 39 min agono notebook',
      'report9 min ago'
    ]);
  });

  it('stops the notebook with one click of a user, and shows what to do then', async () => {
    await panel.show('active');
    await panel.press('Stop the calls of this notebook');
    expect(done).toEqual([]);
    await panel.userPress('Stop the calls of this notebook');
    expect(done).toEqual([['stop', PATH]]);
    expect(panel.text('gateway')).toContain('Stopped: 3 keys were revoked.');
    expect(panel.text('gateway')).toContain('restart the kernel');
    expect(document.activeElement?.getAttribute('role')).toBe('status');
    expect(panel.find('.aumos-Stop')).toBeNull();
    // The kernel was restarted.
    keys.push(key('k2', 'kernel', PATH));
    await panel.settle(() => panel.model.become({ kernelChanges: 1 }));
    expect(panel.text('gateway')).not.toContain('Stopped');
    expect(panel.find('.aumos-Stop')).not.toBeNull();
  });

  it('shows why the notebook was not stopped', async () => {
    await panel.show('active');
    refusal = new Error('The ledger cannot be used now.');
    await panel.userPress('Stop the calls of this notebook');
    expect(panel.text('gateway')).toContain('The ledger cannot be used now.');
    expect(panel.find('.aumos-Stop')).not.toBeNull();
  });

  it('has no Stop for a notebook without keys', async () => {
    await panel.show('active', { path: 'third.ipynb' });
    expect(panel.find('.aumos-Stop')).toBeNull();
    expect(panel.text('gateway')).toContain('This notebook has no key');
  });

  it('of a shared kernel shows the keys of the notebook that owns it', async () => {
    await panel.show('active', { path: 'guest.ipynb', shared_with: PATH });
    expect(listed()[0]).toBe('Kernel9 min ago');
  });

  it('is disabled for a user who may only look', async () => {
    panel.model.mayChange = false;
    await panel.show('active');
    await panel.userPress('Stop the calls of this notebook');
    await panel.userPress('Revoke key report');
    expect(done).toEqual([]);
  });

  it('binds a terminal to the notebook, by a user only', async () => {
    await panel.show('active');
    await panel.press('Use for this notebook');
    expect(done).toEqual([]);
    await panel.userPress('Use for this notebook');
    expect(done).toEqual([['bind', '2', PATH]]);
    expect(listed()).toContain('Terminal 29 min ago');
  });

  it('binds no terminal to a notebook that was never governed', async () => {
    await panel.show('never_opened');
    expect(panel.text('gateway')).not.toContain('Use for this notebook');
  });

  it('revokes a key of the user, by a user only', async () => {
    await panel.show('active');
    await panel.press('Revoke key report');
    expect(done).toEqual([]);
    await panel.userPress('Revoke key report');
    expect(done).toEqual([['revoke', 'report']]);
    expect(listed()).not.toContain('report9 min ago');
  });

  it('leads from a field to the button by the Enter key, which creates nothing yet', async () => {
    panel.model.become({
      config: { ...sampleConfig('with_gateway'), default_budget: '1' }
    });
    await panel.show('active');
    await panel.press('Create key…');
    const [name] = panel.findAll('[data-section=gateway] input');
    const enter = (): Promise<void> =>
      panel.settle(
        () =>
          void name?.dispatchEvent(
            new KeyboardEvent('keydown', { key: 'Enter', bubbles: true })
          )
      );
    name?.focus();
    await enter();
    expect(document.activeElement).toBe(name);
    await panel.typeInto(name, 'nightly');
    await enter();
    expect(document.activeElement?.textContent).toBe('Create key');
    expect(done).toEqual([]);
  });

  it('creates a key at L1 unless the user chooses, and keeps no secret', async () => {
    await panel.show('active');
    await panel.press('Create key…');
    // The server's default is above its own maximum.
    expect(panel.text('gateway')).toContain('The server allows at most $5.00.');
    const [name, budget] = panel.findAll('[data-section=gateway] input');
    const levels = panel.findAll('[data-section=gateway] option');
    expect(levels).toHaveLength(4);
    await panel.typeInto(name, 'a/b');
    expect(panel.text('gateway')).toContain('Enter a name of letters');
    await panel.typeInto(budget, '2.50');
    await panel.userPress('Create key');
    expect(done).toEqual([]);
    await panel.typeInto(name, 'nightly report');
    await panel.press('Create key');
    expect(done).toEqual([]);
    await panel.userPress('Create key');
    expect(done).toEqual([
      ['create', { name: 'nightly report', trust_level: 1, budget: '2.5' }]
    ]);
    expect(shown.map(({ secret }) => secret)).toEqual(['sk-aumos-secret']);
    expect(panel.text('gateway')).toContain('nightly report');
    expect(panel.body.node.innerHTML).not.toContain('sk-aumos');
  });

  it('shows the user’s keys and the providers without a notebook', async () => {
    await panel.settle(() => panel.model.become({ path: null, state: null }));
    expect(listed()).toEqual(['report9 min ago']);
    expect(panel.text('gateway')).not.toContain('Keys of this notebook');
  });
});
