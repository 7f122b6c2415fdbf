import { parseUsd, writeUsd } from '../words/money';

/** Under which the browser keeps it. */
const KEY = 'aumos-governance:learned-costs';
/** How many runs of one source are kept. */
const RUNS = 5;
/** How many sources are kept, those that ran last. */
const SOURCES = 1000;

/**
 * What the cells of notebooks cost when they ran, by a digest of their source, kept by the browser.
 *
 * It is shown before a run, and it changes no hold, limit or decision. Another source has another digest, so a cell
 * that was edited is not known; edited back, it is.
 */
export class LearnedCosts {
  constructor(storage: Pick<Storage, 'getItem' | 'setItem'>) {
    this._storage = storage;
  }

  /** What a source cost in its last runs in a notebook, in nano-dollars, oldest first; empty where it did not run. */
  of(path: string, source: string): readonly bigint[] {
    return (this._read()[digest(path, source)] ?? []).map(parseUsd);
  }

  /** Keep what one run cost; where the browser keeps nothing, it is forgotten. */
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
      // Full or switched off: the estimate knows less.
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

/** FNV-1a with 64 bits. It only tells sources apart: browsers have no SHA-256 where a page comes by plain HTTP. */
function digest(path: string, source: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(JSON.stringify([path, source]))) {
    hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & MASK;
  }
  // Not a number to JavaScript, which would sort numbers before all other keys.
  return `c${hash.toString(16)}`;
}

function isRuns(value: unknown): value is string[] {
  return (
    Array.isArray(value) &&
    value.every(run => typeof run === 'string' && /^\d+(\.\d{1,9})?$/.test(run))
  );
}
