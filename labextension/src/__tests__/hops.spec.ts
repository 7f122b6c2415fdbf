import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { join, relative, sep } from 'node:path';
import { ServerConnection } from '@jupyterlab/services';
import { nullTranslator } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import { STATE_EVENT_SCHEMA } from '../protocol/state';
import { ServerEvents } from '../server/events';
import { GovernanceModel } from '../state/model';
import { GovernanceSettings } from '../state/settings';
import { GovernanceStatusItem } from '../status/statusItem';
import { drawn } from './support/drawing';
import { FakeApi } from './support/fakes';
import { sampleConfig, sampleState } from './support/samples';

/** How many files may take part between the server's event and the status bar. */
const MOST = 9;

const SOURCES = join(import.meta.dirname, '..');

/** Vitest calls such a function to read a module's exports: it belongs to the import. */
const EXPORTS = /^\(\) => \{ try \{ return [\w.]+ \} catch \{\} \}$/;

class FakeWebSocket extends EventTarget {
  static last: FakeWebSocket | undefined;

  onmessage: ((event: MessageEvent) => void) | null = null;

  constructor() {
    super();
    FakeWebSocket.last = this;
  }

  close(): void {
    this.onmessage = null;
  }
}

/** The source files whose functions run during an action. */
async function filesOf(action: () => Promise<unknown>): Promise<string[]> {
  const session = new Session();
  session.connect();
  await session.post('Debugger.enable');
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true });
  // Calls before, imports included, do not count.
  await session.post('Profiler.takePreciseCoverage');
  await action();
  const { result } = await session.post('Profiler.takePreciseCoverage');
  const files = new Set<string>();
  for (const { scriptId, url, functions } of result) {
    const [file = ''] = url.replace(/^file:\/\//, '').split('?');
    if (!file.startsWith(SOURCES + sep) || file.includes('__tests__')) {
      continue;
    }
    const { scriptSource } = await session.post('Debugger.getScriptSource', {
      scriptId
    });
    const runs = functions.some(({ ranges: [whole] }) => {
      const text = scriptSource.slice(whole?.startOffset, whole?.endOffset);
      return (whole?.count ?? 0) > 0 && !EXPORTS.test(text);
    });
    if (runs) {
      files.add(relative(SOURCES, file));
    }
  }
  session.disconnect();
  return [...files].sort();
}

it(`a spend's event passes at most ${MOST} files on its way to the status bar`, async () => {
  const events = new ServerEvents({
    serverSettings: ServerConnection.makeSettings({
      wsUrl: 'ws://localhost:8888/',
      token: '',
      WebSocket: FakeWebSocket as unknown as typeof WebSocket
    })
  });
  await vi.waitFor(() => expect(FakeWebSocket.last?.onmessage).toBeTruthy());
  const api = new FakeApi();
  api.configResponse = sampleConfig();
  const model = new GovernanceModel({ api, events });
  const before = sampleState('held');
  api.responses.set(before.path, before);
  FakeWebSocket.last?.dispatchEvent(new Event('open'));
  model.show(before.path);
  const item = new GovernanceStatusItem({
    model,
    trans: nullTranslator.load('aumos_governance'),
    settings: new GovernanceSettings(),
    loadPopover: () => Promise.reject(new Error('It is not opened.'))
  });
  await drawn(item, () => Widget.attach(item, document.body));
  await vi.waitFor(() => expect(model.config).not.toBeNull());
  const spend = {
    ...before,
    spent: '8',
    remaining: '0.5',
    seq: before.seq + 1
  };

  const files = await filesOf(() =>
    drawn(item, () =>
      FakeWebSocket.last?.onmessage?.(
        new MessageEvent('message', {
          data: JSON.stringify({ schema_id: STATE_EVENT_SCHEMA, ...spend })
        })
      )
    )
  );
  expect(item.node.textContent).toContain('$0.50 left');
  expect(files).toContain('status/statusItem.tsx');
  expect(files).toContain('server/events.ts');
  // For `python -m benchmarks.hops`, which prints them.
  if (process.env.AUMOS_HOPS) {
    writeFileSync(process.env.AUMOS_HOPS, JSON.stringify(files));
  }
  expect(files.length, files.join(', ')).toBeLessThanOrEqual(MOST);
  item.dispose();
  model.dispose();
  events.dispose();
});
