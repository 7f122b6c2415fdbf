/** Loads what a session spent over time and with each tool, for the charts of the section Spending. */

import type { IAuditApi } from '../server/auditApi';
import { parseUsd } from '../words/money';
import type { IAuditSum, SumsBy } from '../protocol/audit';

/** What was spent in one interval of time, or with one tool. */
export interface ISpent {
  /**
   * The start of the interval as the server writes it, for example `2026-03-01` or `2026-03-01T14:00Z`; or the name of
   * the tool.
   */
  readonly name: string;
  /** The spending in nano-dollars. */
  readonly spent: bigint;
  readonly records: number;
  readonly denied: number;
}

/** What was spent over time: consecutive intervals of one length, including those without spending. */
export interface ISpending {
  readonly by: 'day' | 'hour' | 'minute';
  readonly intervals: readonly ISpent[];
}

const MINUTE = 60_000;
const LENGTHS = { minute: MINUTE, hour: 60 * MINUTE, day: 24 * 60 * MINUTE };

/** How many intervals a chart shows: the last ones. */
export const MAX_INTERVALS = 30;
/** How many bars the chart of tools has; the last one shows all further tools together. */
const MAX_TOOLS = 6;

/**
 * Load a session's spending over time: by day if there are records of more than two days, else by hour if there are
 * records of more than two hours, else by minute.
 */
export async function readSpending(
  api: IAuditApi,
  sessionId: string
): Promise<ISpending> {
  const read = async (by: SumsBy): Promise<ISpent[]> =>
    (await api.sums(by, { session_id: sessionId })).sums.map(asSpent);
  const days = await read('day');
  if (days.length > 2) {
    return { by: 'day', intervals: filled(days, 'day') };
  }
  const hours = await read('hour');
  if (hours.length > 2) {
    return { by: 'hour', intervals: filled(hours, 'hour') };
  }
  return { by: 'minute', intervals: filled(await read('minute'), 'minute') };
}

/** Load what a session spent with each tool, the highest amount first. */
export async function readTools(
  api: IAuditApi,
  sessionId: string
): Promise<ISpent[]> {
  const { sums } = await api.sums('tool', { session_id: sessionId });
  return sums.map(asSpent).sort((a, b) => compare(b.spent, a.spent));
}

/**
 * Return the tools with the highest amounts, and, if there are more than `most`, a last entry named `others` with the
 * sums of the rest.
 */
export function withOthers(
  tools: readonly ISpent[],
  others: string,
  most = MAX_TOOLS
): ISpent[] {
  if (tools.length <= most) {
    return [...tools];
  }
  const rest = tools.slice(most - 1);
  return [
    ...tools.slice(0, most - 1),
    {
      name: others,
      spent: rest.reduce((sum, tool) => sum + tool.spent, 0n),
      records: rest.reduce((sum, tool) => sum + tool.records, 0),
      denied: rest.reduce((sum, tool) => sum + tool.denied, 0)
    }
  ];
}

/** Return when an interval started, in milliseconds since 1970, from the name that the server gave it. */
export function startOf(name: string): number {
  return Date.parse(name.length === 10 ? `${name}T00:00Z` : name);
}

function asSpent({ name, spent, records, denied }: IAuditSum): ISpent {
  return { name, spent: parseUsd(spent), records, denied };
}

/** Add the intervals without spending in between, and keep the last {@link MAX_INTERVALS} intervals. */
function filled(known: readonly ISpent[], by: ISpending['by']): ISpent[] {
  const byStart = new Map(
    known.map(interval => [startOf(interval.name), interval])
  );
  const starts = [...byStart.keys()];
  const last = Math.max(...starts);
  const length = LENGTHS[by];
  const first = Math.max(
    Math.min(...starts),
    last - (MAX_INTERVALS - 1) * length
  );
  const intervals: ISpent[] = [];
  for (let start = first; start <= last; start += length) {
    intervals.push(
      byStart.get(start) ?? {
        name: new Date(start).toISOString(),
        spent: 0n,
        records: 0,
        denied: 0
      }
    );
  }
  return intervals;
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
