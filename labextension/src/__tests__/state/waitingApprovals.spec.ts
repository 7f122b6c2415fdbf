import { GovernanceApiError } from '../../server/requests';
import { WaitingApprovals } from '../../state/waitingApprovals';
import { WaitingReports } from '../../state/waitingReports';
import { FakeModel, unreachable } from '../support/fakes';
import {
  FakeTrail,
  FakeWaiting,
  sampleApproval,
  sampleRecord
} from '../support/waitingFakes';

describe('WaitingApprovals', () => {
  let model: FakeModel;
  let server: FakeWaiting;
  let trail: FakeTrail;
  let store: WaitingApprovals;

  const first = sampleApproval({ id: 'a-1' });
  const second = sampleApproval({ id: 'a-2', tool: 'mail' });

  /** Wait for the requests in flight and the pause after them. */
  const settled = (): Promise<unknown> => vi.advanceTimersByTimeAsync(1000);
  const ids = (): string[] => store.entries.map(({ id }) => id);

  async function happened(): Promise<void> {
    model.become({ revision: model.revision + 1 });
    await settled();
  }

  beforeEach(async () => {
    vi.useFakeTimers();
    model = new FakeModel();
    server = new FakeWaiting();
    trail = new FakeTrail();
    server.waiting = [first, second];
    store = new WaitingApprovals({ api: server.api, audit: trail.api, model });
    await settled();
  });

  afterEach(() => {
    store.dispose();
    vi.useRealTimers();
  });

  it('reads what waits at once, and when something happened', async () => {
    expect(ids()).toEqual(['a-1', 'a-2']);
    expect(store.isKnown).toBe(true);
    server.waiting.push(sampleApproval({ id: 'a-3' }));
    await happened();
    expect(ids()).toEqual(['a-1', 'a-2', 'a-3']);
    model.become({ config: null });
    await settled();
    expect(server.reads).toBe(2);
  });

  it('waits for the connection while the page starts, but not for ever', async () => {
    model.connection = 'connecting';
    const start = (): WaitingReports =>
      new WaitingReports({ api: server.api, model });
    server.reads = 0;
    const patient = start();
    await vi.advanceTimersByTimeAsync(5900);
    expect(server.reads).toBe(0);
    await settled();
    expect(server.reads).toBe(1);
    patient.dispose();
    const connected = start();
    model.become({ connection: 'live' });
    await vi.advanceTimersByTimeAsync(5000);
    expect(server.reads).toBe(2);
    connected.dispose();
  });

  it('reads again when the connection is another', async () => {
    model.become({ connection: 'interrupted' });
    await settled();
    expect(server.reads).toBe(2);
  });

  it('reads a burst of changes twice: at its start and at its end', async () => {
    for (let count = 0; count < 50; count += 1) {
      model.become({ revision: count + 1 });
    }
    await settled();
    expect(server.reads).toBe(3);
  });

  it('removes what was decided, and keeps the decision', async () => {
    const heard = vi.fn();
    store.changed.connect(heard);
    await store.decide(first, 'approve', 'k');
    expect(server.decisions).toEqual([['a-1', 'approve', 'k']]);
    expect(ids()).toEqual(['a-2']);
    expect(store.decided).toMatchObject([
      { id: 'a-1', tool: 'shell', how: 'approved', by: 'ada' }
    ]);
    expect(heard).toHaveBeenCalled();
    await store.decide(second, 'deny', 'l');
    expect(store.decided.map(({ how }) => how)).toEqual(['denied', 'approved']);
  });

  it('does not bring back what was decided during a load', async () => {
    const reading = store.refresh();
    await store.decide(first, 'deny', 'k');
    server.waiting = [first, second];
    await reading;
    await happened();
    expect(ids()).toEqual(['a-2']);
  });

  it.each([
    ['approve', 'approved'],
    ['refuse', 'denied'],
    ['withdraw', 'withdrawn']
  ])('learns who ended one elsewhere by %s', async (event, how) => {
    server.waiting = [second];
    trail.records = [
      sampleRecord({ event: 'spend', detail: { approval: 'a-1' } }),
      sampleRecord({ event, actor: 'eve', detail: { approval: 'other' } }),
      sampleRecord({ event, actor: 'bob', detail: { approval: 'a-1' } })
    ];
    await happened();
    expect(ids()).toEqual(['a-2']);
    expect(trail.requested).toEqual([{ text: 'a-1', since: first.at }]);
    expect(store.decided).toMatchObject([{ id: 'a-1', how, by: 'bob' }]);
  });

  it('shows no outcome that the record does not contain', async () => {
    server.waiting = [];
    await happened();
    expect(ids()).toEqual([]);
    expect(store.decided).toEqual([]);
  });

  it('does not take what stands on a further page for gone', async () => {
    server.waiting = [second];
    server.after = 'a-2';
    await happened();
    expect(store.hasMore).toBe(true);
    expect(trail.requested).toEqual([]);
  });

  it('hands a refusal on, and reads what is there instead', async () => {
    server.refusal = new GovernanceApiError(
      'CONFLICT',
      'This was denied already, by bob, so nothing was changed.',
      409
    );
    server.waiting = [second];
    await expect(store.decide(first, 'approve', 'k')).rejects.toBe(
      server.refusal
    );
    await settled();
    expect(ids()).toEqual(['a-2']);
    expect(store.decided).toEqual([]);
  });

  it('keeps what it knows while the server is away', async () => {
    server.failure = unreachable();
    await happened();
    expect(store.failure?.code).toBe('SERVER_UNREACHABLE');
    expect(ids()).toEqual(['a-1', 'a-2']);
    server.failure = null;
    model.become({ connection: 'interrupted' });
    await settled();
    expect(store.failure).toBeNull();
  });

  it('is silent once disposed', async () => {
    store.dispose();
    await happened();
    expect(server.reads).toBe(1);
  });
});
