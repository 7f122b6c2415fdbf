/** The key under which the browser's local storage has the sections. */
const KEY = 'aumos-governance:sections';

/** Stores in the browser's local storage which sections of the panel the user has opened or closed. */
export class SectionMemory {
  constructor(storage: Pick<Storage, 'getItem' | 'setItem'>) {
    this._storage = storage;
  }

  /** Return whether the user left the section with an id open; undefined if they never opened or closed it. */
  isOpen(section: string): boolean | undefined {
    const known = this._read()[section];
    return typeof known === 'boolean' ? known : undefined;
  }

  /** Store whether a section is open; nothing happens if the browser has no local storage. */
  remember(section: string, isOpen: boolean): void {
    try {
      this._storage.setItem(
        KEY,
        JSON.stringify({ ...this._read(), [section]: isOpen })
      );
    } catch {
      // The storage is full or switched off. The next visit then starts with the default, and nothing else is lost.
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
