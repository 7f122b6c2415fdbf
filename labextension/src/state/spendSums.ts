/** A session's spending over time and by tool, for the charts. */

import type { IAuditApi } from '../server/auditApi';
import { parseUsd } from '../words/money';
import type { IAuditSum, SumsBy } from '../protocol/audit';

/** An interval, or a tool, and what was spent in it or with it; in nano-dollars. */
export interface ISpent {
  readonly name: string;
  readonly spent: bigint;
  readonly records: number;
  readonly denied: number;
}

/** The spending over time, in intervals of one length, including empty ones. */
export interface ISpending {
  readonly by: 'day' | 'hour' | 'minute';
  readonly stretches: readonly ISpent[];
}

const MINUTE = 60_000;
const LENGTHS = { minute: MINUTE, hour: 60 * MINUTE, day: 24 * 60 * MINUTE };

/** How many intervals are drawn at most; of a longer time, the last ones. */
export const MAX_STRETCHES = 30;
/** How many tools are drawn by name; the others share one bar. */
export const MAX_TOOLS = 6;

/** Load a session's spending over time, in intervals that fit its length. */
export async function readSpending(
  api: IAuditApi,
  sessionId: string
): Promise<ISpending> {
  const read = async (by: SumsBy): Promise<ISpent[]> =>
    (await api.sums(by, { session_id: sessionId })).sums.map(asSpent);
  const days = await read('day');
  if (days.length > 2) {
    return { by: 'day', stretches: filled(days, 'day') };
  }
  const hours = await read('hour');
  if (hours.length > 2) {
    return { by: 'hour', stretches: filled(hours, 'hour') };
  }
  return { by: 'minute', stretches: filled(await read('minute'), 'minute') };
}

/** Load what each tool has cost in a session, the most expensive first. */
export async function readTools(
  api: IAuditApi,
  sessionId: string
): Promise<ISpent[]> {
  const { sums } = await api.sums('tool', { session_id: sessionId });
  return sums.map(asSpent).sort((a, b) => compare(b.spent, a.spent));
}

/** The most expensive tools by name, and the sum of all others under another name. */
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

/** The start of an interval, in milliseconds. */
export function startOf(name: string): number {
  return Date.parse(name.length === 10 ? `${name}T00:00Z` : name);
}

function asSpent({ name, spent, records, denied }: IAuditSum): ISpent {
  return { name, spent: parseUsd(spent), records, denied };
}

/** Add empty intervals, and drop those that are too old. */
function filled(known: readonly ISpent[], by: ISpending['by']): ISpent[] {
  const byStart = new Map(known.map(one => [startOf(one.name), one]));
  const starts = [...byStart.keys()];
  const last = Math.max(...starts);
  const length = LENGTHS[by];
  const first = Math.max(
    Math.min(...starts),
    last - (MAX_STRETCHES - 1) * length
  );
  const stretches: ISpent[] = [];
  for (let start = first; start <= last; start += length) {
    stretches.push(
      byStart.get(start) ?? {
        name: new Date(start).toISOString(),
        spent: 0n,
        records: 0,
        denied: 0
      }
    );
  }
  return stretches;
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
