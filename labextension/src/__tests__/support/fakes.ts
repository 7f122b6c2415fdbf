/** A fake server, its events and a fake model that a test prepares. */

import { Signal } from '@lumino/signaling';
import type { IGovernanceApi } from '../../server/api';
import { GovernanceApiError } from '../../server/requests';
import type { EventsStatus, IEvents } from '../../server/events';
import type { IGovernanceConfig, IGovernanceState } from '../../protocol/state';
import type { Connection, IGovernanceModel } from '../../tokens';
import { sampleConfig } from './samples';

/** Returns the prepared responses; requests for other paths fail as unreachable. */
export class FakeApi implements IGovernanceApi {
  readonly requested: string[] = [];
  readonly responses = new Map<
    string,
    IGovernanceState | GovernanceApiError | Promise<IGovernanceState>
  >();
  configResponse: IGovernanceConfig | GovernanceApiError = sampleConfig();
  mayChangeResponse = true;

  async state(path: string): Promise<IGovernanceState> {
    this.requested.push(path);
    const response = await this.responses.get(path);
    if (!response || response instanceof GovernanceApiError) {
      throw response ?? unreachable();
    }
    return response;
  }

  config(): Promise<IGovernanceConfig> {
    return this.configResponse instanceof GovernanceApiError
      ? Promise.reject(this.configResponse)
      : Promise.resolve(this.configResponse);
  }

  mayChange(): Promise<boolean> {
    return Promise.resolve(this.mayChangeResponse);
  }
}

export class FakeEvents implements IEvents {
  readonly emitted = new Signal<this, unknown>(this);
  readonly statusChanged = new Signal<this, EventsStatus>(this);
  status: EventsStatus = 'connecting';

  become(status: EventsStatus): void {
    this.status = status;
    this.statusChanged.emit(status);
  }
}

/** A model whose properties a test sets at will. */
export class FakeModel implements IGovernanceModel {
  readonly changed = new Signal<this, void>(this);
  readonly learned = new Signal<this, IGovernanceState>(this);
  path: string | null = null;
  state: IGovernanceState | null = null;
  config: IGovernanceConfig | null = sampleConfig();
  connection: Connection = 'live';
  failure: GovernanceApiError | null = null;
  seenAt: number | null = null;
  mayChange = true;
  revision = 0;
  kernelChanges = 0;
  refreshed = 0;
  readonly learnt: IGovernanceState[] = [];

  /** Change some properties and emit `changed`. */
  become(changes: Partial<FakeModel>): void {
    Object.assign(this, changes);
    this.changed.emit();
  }

  /** Bring the notebook of a state to the front. */
  show(state: IGovernanceState): void {
    this.become({ path: state.path, state });
  }

  stateOf(path: string): IGovernanceState | null {
    return path === this.path ? this.state : null;
  }

  learn(state: IGovernanceState): void {
    this.learnt.push(state);
    if (state.path === this.path) {
      this.become({ state });
    }
  }

  refresh(): Promise<void> {
    this.refreshed += 1;
    return Promise.resolve();
  }
}

export function unreachable(): GovernanceApiError {
  return new GovernanceApiError('SERVER_UNREACHABLE', 'Failed to fetch', null);
}
