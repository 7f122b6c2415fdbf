/** The bodies of what surrounds a session: enclosing ceilings, all notebooks, a person's permissions. */

import {
  hasMembers,
  isBoolean,
  isCount,
  isDecimal,
  isListOf,
  isNullOr,
  isOneOf,
  isPageOf,
  isRecord,
  isString,
  isTime
} from './guards';
import { isState } from './state';

/** The resource that the server's authorizer is asked about. */
export const RESOURCE = 'aumos-governance';

/** A ceiling that encloses sessions. */
export interface IEnvelope {
  readonly name: string;
  /** Over which sessions: this notebook's, this owner's, this server's or a team's. */
  readonly kind: 'notebook' | 'owner' | 'server' | 'team';
  readonly period: 'daily' | 'weekly' | 'monthly' | 'yearly' | 'lifetime';
  /** Null for a ceiling that has no period. */
  readonly period_start: string | null;
  readonly limit: string;
  readonly spent: string;
  readonly held: string;
  readonly remaining: string;
  readonly over: string;
  readonly charges: number;
}

/** A kernel of the server. */
export interface IKernel {
  readonly id: string;
  /** The path of the notebook whose session it uses. */
  readonly notebook: string;
  /** False for one that the server cannot govern: whatever it asks fails. */
  readonly reachable: boolean;
  /** How it asked last; null where it has asked nothing yet. */
  readonly transport: 'socket' | 'comm' | null;
}

/** Whether a value is the list of a notebook's envelopes. */
export function isEnvelopes(
  value: unknown
): value is { envelopes: IEnvelope[] } {
  return hasMembers(value, { envelopes: list => isListOf(list, isEnvelope) });
}

/** Whether a value is the list of the server's kernels. */
export function isKernels(value: unknown): value is { kernels: IKernel[] } {
  return hasMembers(value, { kernels: list => isListOf(list, isKernel) });
}

/** Whether a value is a page of all governed notebooks. */
export const isNotebookPage = isPageOf('notebooks', isState);

/** Whether a value is what the server says of the person and of what they may do. */
export function isIdentity(
  value: unknown
): value is { permissions: Record<string, unknown> } {
  return isRecord(value) && isRecord(value.permissions);
}

function isKernel(value: unknown): boolean {
  return hasMembers(value, {
    id: isString,
    notebook: isString,
    reachable: isBoolean,
    transport: name => isNullOr(name, one => isOneOf(one, ['socket', 'comm']))
  });
}

function isEnvelope(value: unknown): boolean {
  return hasMembers(value, {
    name: isString,
    kind: kind => isOneOf(kind, ['notebook', 'owner', 'server', 'team']),
    period: period =>
      isOneOf(period, ['daily', 'weekly', 'monthly', 'yearly', 'lifetime']),
    period_start: start => isNullOr(start, isTime),
    limit: isDecimal,
    spent: isDecimal,
    held: isDecimal,
    remaining: isDecimal,
    over: isDecimal,
    charges: isCount
  });
}
