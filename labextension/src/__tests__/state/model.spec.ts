import { GovernanceApiError } from '../../server/requests';
import { GovernanceModel } from '../../state/model';
import {
  STATE_EVENT_SCHEMA,
  type IGovernanceState
} from '../../protocol/state';
import { FakeApi, FakeEvents, unreachable } from '../support/fakes';
import { configs, sampleConfig, sampleState } from '../support/samples';

const A = 'a.ipynb';
const B = 'b.ipynb';

function at(path: string, seq: number, spent = '0.2'): IGovernanceState {
  return sampleState('active', { path, seq, spent });
}

describe('GovernanceModel', () => {
  let api: FakeApi;
  let events: FakeEvents;
  let model: GovernanceModel;
  let changes: number;

  function emit(state: IGovernanceState): void {
    events.emitted.emit({ schema_id: STATE_EVENT_SCHEMA, ...state });
  }

  /** Let every promise that can settle do so. */
  async function settled(): Promise<void> {
    await vi.advanceTimersByTimeAsync(0);
  }

  beforeEach(() => {
    vi.useFakeTimers();
    api = new FakeApi();
    events = new FakeEvents();
    model = new GovernanceModel({ api, events });
    changes = 0;
    model.changed.connect(() => (changes += 1));
  });

  afterEach(() => {
    model.dispose();
    vi.useRealTimers();
  });

  async function live(path: string, state: IGovernanceState): Promise<void> {
    api.responses.set(path, state);
    events.become('open');
    model.show(path);
    await settled();
    api.requested.length = 0;
    changes = 0;
  }

  it('counts as news only what an event would not have brought before', async () => {
    await live(A, at(A, 3));
    expect(model.revision).toBe(0);
    await model.refresh();
    expect(model.revision).toBe(0);
    emit(at(A, 4));
    expect(model.revision).toBe(1);
    // The response was faster than the event.
    api.responses.set(A, at(A, 5));
    await model.refresh();
    expect(model.revision).toBe(2);
    model.learn(at(A, 5));
    expect(model.revision).toBe(3);
    events.become('closed');
    await settled();
    expect(model.revision).toBe(4);
  });

  it('knows nothing at first', () => {
    expect(model.path).toBeNull();
    expect(model.state).toBeNull();
    expect(model.config).toBeNull();
    expect(model.connection).toBe('connecting');
  });

  it('reads the configuration once events flow', async () => {
    api.configResponse = sampleConfig('classroom');
    events.become('open');
    await settled();
    expect(model.config).toEqual(configs.valid.classroom);
  });

  it('keeps the configuration that it knows when it cannot read it', async () => {
    events.become('open');
    await settled();
    api.configResponse = unreachable();
    events.become('closed');
    events.become('open');
    await settled();
    expect(model.config).toEqual(configs.valid.defaults);
  });

  it('reads the notebook that comes to the front', async () => {
    await live(A, at(A, 5));
    expect(model.state).toEqual(at(A, 5));
    expect(model.connection).toBe('live');
  });

  it('follows events and makes no further request', async () => {
    await live(A, at(A, 5));
    emit(at(A, 6, '0.5'));
    expect(model.state?.spent).toBe('0.5');
    expect(changes).toBe(1);
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(api.requested).toEqual([]);
  });

  it.each([
    { note: 'another schema', event: { schema_id: 'x', ...at(A, 9) } },
    {
      note: 'a malformed body',
      event: { schema_id: STATE_EVENT_SCHEMA, ...at(A, 9), spent: 0.5 }
    }
  ])('ignores an event of $note', async ({ event }) => {
    await live(A, at(A, 5));
    events.emitted.emit(event);
    expect(model.state?.seq).toBe(5);
    expect(changes).toBe(0);
  });

  it('takes the count of another notebook whose session it begins to use', async () => {
    await live(A, at(A, 5));
    emit({ ...at(A, 2), shared_with: B });
    expect(model.state).toMatchObject({ seq: 2, shared_with: B });
    emit({ ...at(A, 1), shared_with: B });
    expect(model.state?.seq).toBe(2);
    emit(at(A, 1));
    expect(model.state).toMatchObject({ seq: 1, shared_with: null });
  });

  it('ignores an event that is older than what it shows', async () => {
    await live(A, at(A, 5, '0.5'));
    emit(at(A, 4, '0.4'));
    expect(model.state?.spent).toBe('0.5');
  });

  it('ignores a response that an event has overtaken', async () => {
    events.become('open');
    let respond: (state: IGovernanceState) => void = () => undefined;
    api.responses.set(
      A,
      new Promise<IGovernanceState>(resolve => (respond = resolve))
    );
    model.show(A);
    await settled();
    emit(at(A, 6, '0.6'));
    respond(at(A, 5, '0.5'));
    await settled();
    expect(model.state?.spent).toBe('0.6');
  });

  it('assigns a response to the requested notebook', async () => {
    api.responses.set(A, at('drive/a.ipynb', 5));
    events.become('open');
    model.show(A);
    await settled();
    expect(model.state).toMatchObject({ path: A, seq: 5 });
  });

  it('reads a notebook once, as long as events flow', async () => {
    await live(A, at(A, 5));
    api.responses.set(B, at(B, 2));
    model.show(B);
    await settled();
    model.show(A);
    model.show(B);
    await settled();
    expect(api.requested).toEqual([B]);
    expect(model.state).toEqual(at(B, 2));
  });

  it('does not load a notebook whose state came in an event', async () => {
    await live(A, at(A, 5));
    emit(at(B, 3));
    expect(model.state?.path).toBe(A);
    expect(model.stateOf(B)).toMatchObject(at(B, 3));
    model.show(B);
    await settled();
    expect(api.requested).toEqual([]);
    expect(model.state).toMatchObject(at(B, 3));
  });

  it('shows nothing where no notebook is in front', async () => {
    await live(A, at(A, 5));
    model.show(null);
    expect(model.path).toBeNull();
    expect(model.state).toBeNull();
    await model.refresh();
    expect(api.requested).toEqual([]);
  });

  it('counts and reads again when the notebook has another kernel', async () => {
    await live(A, at(A, 5));
    expect(model.kernelChanges).toBe(0);
    model.noteKernel();
    await settled();
    expect(model.kernelChanges).toBe(1);
    expect(changes).toBeGreaterThan(0);
    expect(api.requested).toEqual([A]);
  });

  it('reads again after events were interrupted', async () => {
    await live(A, at(A, 5));
    api.responses.set(A, at(A, 8, '0.8'));
    events.become('closed');
    await settled();
    expect(model.connection).toBe('interrupted');
    api.responses.set(A, at(A, 9, '0.9'));
    events.become('open');
    await settled();
    expect(api.requested).toEqual([A, A]);
    expect(model.state?.spent).toBe('0.9');
    expect(model.connection).toBe('live');
  });

  it('reads a notebook again that was in front before an interruption', async () => {
    await live(A, at(A, 5));
    model.show(null);
    events.become('closed');
    events.become('open');
    api.responses.set(A, at(A, 7));
    model.show(A);
    await settled();
    expect(model.state?.seq).toBe(7);
  });

  it('does not trust a response across an interruption', async () => {
    await live(A, at(A, 5));
    let respond: (state: IGovernanceState) => void = () => undefined;
    api.responses.set(
      B,
      new Promise<IGovernanceState>(resolve => (respond = resolve))
    );
    model.show(B);
    await settled();
    model.show(null);
    events.become('closed');
    events.become('open');
    respond(at(B, 2));
    await settled();
    api.responses.set(B, at(B, 3));
    model.show(B);
    await settled();
    expect(model.state?.seq).toBe(3);
  });

  it('reports when the server does not respond, and keeps the last figures', async () => {
    await live(A, at(A, 5));
    api.responses.set(A, unreachable());
    events.become('closed');
    await settled();
    expect(model.connection).toBe('unreachable');
    expect(model.failure?.code).toBe('SERVER_UNREACHABLE');
    expect(model.state).toEqual(at(A, 5));
    await vi.advanceTimersByTimeAsync(600_000);
    expect(api.requested).toEqual([A]);
    api.responses.set(A, at(A, 6));
    events.become('open');
    await settled();
    expect(model.connection).toBe('live');
    expect(model.state?.seq).toBe(6);
  });

  it('tries a failed read again, ever more rarely, until it succeeds', async () => {
    events.become('open');
    model.show(A);
    await settled();
    expect(model.connection).toBe('unreachable');
    await vi.advanceTimersByTimeAsync(1000 + 2000 + 4000);
    expect(api.requested).toHaveLength(4);
    api.responses.set(A, at(A, 1));
    await vi.advanceTimersByTimeAsync(8000);
    expect(model.connection).toBe('live');
    api.requested.length = 0;
    await vi.advanceTimersByTimeAsync(600_000);
    expect(api.requested).toEqual([]);
  });

  it('does not insist where the server refuses', async () => {
    api.responses.set(A, new GovernanceApiError('NOT_ALLOWED', 'No.', 403));
    events.become('open');
    model.show(A);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(model.connection).toBe('unreachable');
    expect(api.requested).toEqual([A]);
  });

  it('takes an event as proof that the server is there', async () => {
    events.become('open');
    model.show(A);
    await settled();
    emit(at(A, 1));
    expect(model.connection).toBe('live');
    await vi.advanceTimersByTimeAsync(600_000);
    expect(api.requested).toEqual([A]);
  });

  it('forgets a failure when another notebook comes to the front', async () => {
    await live(A, at(A, 5));
    model.show(B);
    await settled();
    expect(model.connection).toBe('unreachable');
    model.show(A);
    expect(model.connection).toBe('live');
    await vi.advanceTimersByTimeAsync(600_000);
    expect(api.requested).toEqual([B]);
  });

  it('is silent once disposed', async () => {
    await live(A, at(A, 5));
    model.dispose();
    emit(at(A, 6));
    events.become('closed');
    await settled();
    expect(changes).toBe(0);
    expect(api.requested).toEqual([]);
    expect(model.isDisposed).toBe(true);
  });
});
