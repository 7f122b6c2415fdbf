import { parseUsd, writeUsd } from '../words/money';

/** The key under which the browser's local storage has the costs. */
const KEY = 'aumos-governance:learned-costs';
/** How many of its last runs are kept for each source. */
const RUNS = 5;
/** How many sources are kept; the costs of sources that ran longer ago are deleted. */
const SOURCES = 1000;

/**
 * What cells cost in their last runs, stored in the browser's local storage by the notebook's path and a hash of the
 * cell's source.
 *
 * The costs are used for estimates only: no hold, limit or decision depends on them. An edited cell has another hash,
 * so its cost is unknown until the edit is undone.
 */
export class LearnedCosts {
  constructor(storage: Pick<Storage, 'getItem' | 'setItem'>) {
    this._storage = storage;
  }

  /**
   * Return what a cell with this source cost in its last runs, in nano-dollars, oldest first; empty if it never ran.
   */
  of(path: string, source: string): readonly bigint[] {
    return (this._read()[digest(path, source)] ?? []).map(parseUsd);
  }

  /** Store the cost of one run, in nano-dollars; nothing happens if the browser has no local storage. */
  learn(path: string, source: string, cost: bigint): void {
    const key = digest(path, source);
    const { [key]: runs = [], ...others } = this._read();
    const kept = [
      ...Object.entries(others),
      [key, [...runs, writeUsd(cost)].slice(-RUNS)] as const
    ].slice(-SOURCES);
    try {
      this._storage.setItem(KEY, JSON.stringify(Object.fromEntries(kept)));
    } catch {
      // The storage is full or switched off. The next estimate then lacks this cost, and nothing else.
    }
  }

  private _read(): Record<string, string[]> {
    try {
      const known: unknown = JSON.parse(this._storage.getItem(KEY) ?? '{}');
      return Object.fromEntries(
        Object.entries(known ?? {}).filter(
          (entry): entry is [string, string[]] => isRuns(entry[1])
        )
      );
    } catch {
      return {};
    }
  }

  private readonly _storage: Pick<Storage, 'getItem' | 'setItem'>;
}

const MASK = (1n << 64n) - 1n;

/**
 * Return the 64-bit FNV-1a hash of a notebook's path and a cell's source. It is not SHA-256, since browsers do not
 * offer that to a page over plain HTTP.
 */
function digest(path: string, source: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(JSON.stringify([path, source]))) {
    hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & MASK;
  }
  // The letter keeps the key from looking like a number: objects list such keys first, so the oldest entry would not be
  // the first.
  return `c${hash.toString(16)}`;
}

function isRuns(value: unknown): value is string[] {
  return (
    Array.isArray(value) &&
    value.every(run => typeof run === 'string' && /^\d+(\.\d{1,9})?$/.test(run))
  );
}
