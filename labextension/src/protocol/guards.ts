/** The shapes that the bodies of answers and events are made of. */

/** Whether a value has some shape. */
export type Guard = (value: unknown) => boolean;

/** Whether a value is an object that is no list. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isString(value: unknown): value is string {
  return typeof value === 'string';
}

export function isBoolean(value: unknown): value is boolean {
  return typeof value === 'boolean';
}

/** Whether a value is an amount of USD as it travels: text, never a number. */
export function isDecimal(value: unknown): value is string {
  return isString(value) && /^-?\d+(\.\d{1,9})?$/.test(value);
}

export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Whether a value is a time as it travels: ISO 8601 in UTC. */
export function isTime(value: unknown): value is string {
  return isString(value) && !Number.isNaN(Date.parse(value));
}

export function isNullOr(value: unknown, guard: Guard): boolean {
  return value === null || guard(value);
}

/** Whether a value is a list of which each entry has a shape. */
export function isListOf(value: unknown, guard: Guard): boolean {
  return Array.isArray(value) && value.every(entry => guard(entry));
}

/** Whether a value is one of some words. */
export function isOneOf(value: unknown, words: readonly string[]): boolean {
  return isString(value) && words.includes(value);
}

/** Whether the members of an object have the shapes that are given by their names. */
export function hasMembers(
  value: unknown,
  members: Readonly<Record<string, Guard>>
): boolean {
  return (
    isRecord(value) &&
    Object.entries(members).every(([name, guard]) => guard(value[name]))
  );
}

export function isTextOrNull(value: unknown): value is string | null {
  return value === null || isString(value);
}

/** A page of a list as it travels: the list under its name, and where the next page begins. */
export type Listed<K extends string, T> = Record<K, T[]> & {
  after: string | null;
};

/** Tells the pages of a list by the shape of its entries. */
export function isPageOf<K extends string, T>(
  name: K,
  isEntry: (value: unknown) => value is T
): (value: unknown) => value is Listed<K, T> {
  return (value): value is Listed<K, T> =>
    hasMembers(value, {
      [name]: list => isListOf(list, isEntry),
      after: isTextOrNull
    });
}
