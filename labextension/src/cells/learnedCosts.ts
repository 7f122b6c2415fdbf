import { parseUsd, writeUsd } from '../words/money';

/** The key in the browser's local storage. */
const KEY = 'aumos-governance:learned-costs';
/** How many runs are kept for each source. */
const RUNS = 5;
/** How many sources are kept: those that ran last. */
const SOURCES = 1000;

/**
 * What the cells of notebooks cost when they ran, by a digest of their source, in the browser's local storage.
 *
 * Used for estimates only: no hold, limit or decision depends on it. An edited cell has another digest, so its cost is
 * unknown until the edit is undone.
 */
export class LearnedCosts {
  constructor(storage: Pick<Storage, 'getItem' | 'setItem'>) {
    this._storage = storage;
  }

  /** Return what a cell's source cost in its last runs, in nano-dollars, oldest first; empty if it never ran. */
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
      // The storage is full or switched off: estimates know less then.
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

/** Return the 64-bit FNV-1a hash of a cell's source: browsers offer no SHA-256 to a page over plain HTTP. */
function digest(path: string, source: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(JSON.stringify([path, source]))) {
    hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & MASK;
  }
  // With the prefix it is never a number: objects sort such keys first, and the oldest would not be dropped first.
  return `c${hash.toString(16)}`;
}

function isRuns(value: unknown): value is string[] {
  return (
    Array.isArray(value) &&
    value.every(run => typeof run === 'string' && /^\d+(\.\d{1,9})?$/.test(run))
  );
}
