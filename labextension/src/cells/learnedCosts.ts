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
 * It is shown before a run, and changes no hold, limit or decision. An edited cell has another digest, so its cost
 * is unknown; if the edit is undone, it is known again.
 */
export class LearnedCosts {
  constructor(storage: Pick<Storage, 'getItem' | 'setItem'>) {
    this._storage = storage;
  }

  /** What a source cost in its last runs in a notebook, in nano-dollars, oldest first; empty if it did not run. */
  of(path: string, source: string): readonly bigint[] {
    return (this._read()[digest(path, source)] ?? []).map(parseUsd);
  }

  /** Keep the cost of one run; without local storage it is lost. */
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
      // The storage is full or switched off: the estimate has less to go by.
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

/** FNV-1a with 64 bits. It only separates sources: browsers offer no SHA-256 on a page over plain HTTP. */
function digest(path: string, source: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(JSON.stringify([path, source]))) {
    hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & MASK;
  }
  // A prefix makes the key no integer: JavaScript sorts integer keys before all others.
  return `c${hash.toString(16)}`;
}

function isRuns(value: unknown): value is string[] {
  return (
    Array.isArray(value) &&
    value.every(run => typeof run === 'string' && /^\d+(\.\d{1,9})?$/.test(run))
  );
}
