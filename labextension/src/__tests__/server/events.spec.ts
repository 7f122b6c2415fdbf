import { ServerConnection } from '@jupyterlab/services';
import { type EventsStatus, ServerEvents } from '../../server/events';
import { events as samples } from '../support/samples';

class FakeWebSocket extends EventTarget {
  static all: FakeWebSocket[] = [];

  static get last(): FakeWebSocket {
    const socket = FakeWebSocket.all.at(-1);
    if (!socket) {
      throw new Error('There was no connection.');
    }
    return socket;
  }

  onopen: ((event: Event) => void) | null = null;
  onclose: ((event: Event) => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  closed = false;

  constructor(readonly url: string) {
    super();
    FakeWebSocket.all.push(this);
  }

  close(): void {
    this.closed = true;
  }

  open(): void {
    this.dispatchEvent(new Event('open'));
    this.onopen?.(new Event('open'));
  }

  drop(): void {
    this.dispatchEvent(new Event('close'));
    this.onclose?.(new Event('close'));
  }

  receive(data: unknown): void {
    this.onmessage?.(
      new MessageEvent('message', { data: JSON.stringify(data) })
    );
  }
}

describe('ServerEvents', () => {
  let events: ServerEvents;
  let statuses: EventsStatus[];
  let emitted: unknown[];

  beforeEach(async () => {
    vi.useFakeTimers();
    FakeWebSocket.all = [];
    events = new ServerEvents({
      serverSettings: ServerConnection.makeSettings({
        wsUrl: 'ws://localhost:8888/base/',
        token: '',
        WebSocket: FakeWebSocket as unknown as typeof WebSocket
      })
    });
    statuses = [];
    emitted = [];
    events.statusChanged.connect((_, status) => statuses.push(status));
    events.emitted.connect((_, event) => emitted.push(event));
    await vi.advanceTimersByTimeAsync(100);
  });

  afterEach(() => {
    events.dispose();
    vi.useRealTimers();
  });

  it('hands on what the server emits', () => {
    expect(FakeWebSocket.last.url).toBe(
      'ws://localhost:8888/base/api/events/subscribe'
    );
    FakeWebSocket.last.open();
    FakeWebSocket.last.receive(samples.valid.active);
    FakeWebSocket.last.receive(samples.ignored.another_schema);
    expect(emitted).toEqual([
      samples.valid.active,
      samples.ignored.another_schema
    ]);
  });

  it('reports when its channel opens, closes and opens again', async () => {
    expect(events.status).toBe('connecting');
    FakeWebSocket.last.open();
    FakeWebSocket.last.drop();
    expect(statuses).toEqual(['open', 'closed']);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(FakeWebSocket.all).toHaveLength(2);
    FakeWebSocket.last.open();
    expect(statuses).toEqual(['open', 'closed', 'open']);
    FakeWebSocket.last.receive(samples.valid.closed);
    expect(emitted).toEqual([samples.valid.closed]);
  });

  it('reports when it cannot connect at all', () => {
    FakeWebSocket.last.drop();
    expect(statuses).toEqual(['closed']);
  });

  it('connects at once when the network is back, even if the socket seems open', async () => {
    FakeWebSocket.last.open();
    const former = FakeWebSocket.last;
    window.dispatchEvent(new Event('online'));
    await vi.advanceTimersByTimeAsync(100);
    expect(former.closed).toBe(true);
    expect(FakeWebSocket.last).not.toBe(former);
    FakeWebSocket.last.open();
    former.drop();
    expect(statuses).toEqual(['open', 'closed', 'open']);
    expect(events.status).toBe('open');
  });

  it('connects at once when the page is looked at again, if it has to', async () => {
    FakeWebSocket.last.open();
    document.dispatchEvent(new Event('visibilitychange'));
    await vi.advanceTimersByTimeAsync(100);
    expect(FakeWebSocket.all).toHaveLength(1);
    FakeWebSocket.last.drop();
    document.dispatchEvent(new Event('visibilitychange'));
    await vi.advanceTimersByTimeAsync(100);
    expect(FakeWebSocket.all).toHaveLength(2);
  });

  it('ends with its socket', async () => {
    FakeWebSocket.last.open();
    events.dispose();
    expect(FakeWebSocket.last.closed).toBe(true);
    window.dispatchEvent(new Event('online'));
    events.reconnect();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(FakeWebSocket.all).toHaveLength(1);
  });

  it('connects only after what it is to wait for', async () => {
    let start = (): void => undefined;
    const after = new Promise<void>(resolve => (start = resolve));
    const serverSettings = ServerConnection.makeSettings({
      wsUrl: 'ws://localhost:8888/base/',
      WebSocket: FakeWebSocket as unknown as typeof WebSocket
    });
    const known = FakeWebSocket.all.length;
    const later = new ServerEvents({ serverSettings, after });
    const never = new ServerEvents({ serverSettings, after });
    later.reconnect();
    never.dispose();
    await vi.advanceTimersByTimeAsync(0);
    expect(FakeWebSocket.all).toHaveLength(known);
    expect(later.status).toBe('connecting');
    start();
    await vi.advanceTimersByTimeAsync(0);
    expect(FakeWebSocket.all).toHaveLength(known + 1);
    FakeWebSocket.last.open();
    expect(later.status).toBe('open');
    later.dispose();
  });
});
