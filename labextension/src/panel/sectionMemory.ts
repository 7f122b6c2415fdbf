/** Under which the browser keeps it. */
const KEY = 'aumos-governance:sections';

/** Which of the panel's sections a person has opened or closed, kept by the browser beyond a reload. */
export class SectionMemory {
  constructor(storage: Pick<Storage, 'getItem' | 'setItem'>) {
    this._storage = storage;
  }

  /** Whether a section was left open; undefined where nobody has opened or closed it. */
  isOpen(section: string): boolean | undefined {
    const known = this._read()[section];
    return typeof known === 'boolean' ? known : undefined;
  }

  /** Keep whether a section is open; where the browser keeps nothing, it is forgotten with the page. */
  remember(section: string, isOpen: boolean): void {
    try {
      this._storage.setItem(
        KEY,
        JSON.stringify({ ...this._read(), [section]: isOpen })
      );
    } catch {
      // Full or switched off: the panel works all the same.
    }
  }

  private _read(): Record<string, unknown> {
    try {
      const known: unknown = JSON.parse(this._storage.getItem(KEY) ?? '{}');
      return typeof known === 'object' && known !== null
        ? (known as Record<string, unknown>)
        : {};
    } catch {
      return {};
    }
  }

  private readonly _storage: Pick<Storage, 'getItem' | 'setItem'>;
}
