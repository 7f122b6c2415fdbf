/** What the guards of bodies are made of. */

/** Whether a value has the shape of a type. */
export type Guard<T> = (value: unknown) => value is T;

/** Whether a value has some shape. */
type Check = (value: unknown) => boolean;

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

export function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

export function isCount(value: unknown): value is number {
  return isInteger(value) && value >= 0;
}

/** Whether a value is a time as it travels: ISO 8601. */
export function isTime(value: unknown): value is string {
  return isString(value) && !Number.isNaN(Date.parse(value));
}

/** Tells text of a pattern. */
export function isMatch(pattern: RegExp): Guard<string> {
  return (value): value is string => isString(value) && pattern.test(value);
}

/** Tells some words. */
export function isOneOf<T extends string>(words: readonly T[]): Guard<T> {
  return (value): value is T => (words as readonly unknown[]).includes(value);
}

export function isNullOr<T>(guard: Guard<T>): Guard<T | null> {
  return (value): value is T | null => value === null || guard(value);
}

/** Tells lists of which each entry has a shape. */
export function isListOf<T>(guard: Guard<T>): Guard<T[]> {
  return (value): value is T[] => Array.isArray(value) && value.every(guard);
}

/** Tells objects of which each member has a shape, whatever its name. */
export function isMapOf<T>(guard: Guard<T>): Guard<Record<string, T>> {
  return (value): value is Record<string, T> =>
    isRecord(value) && Object.values(value).every(guard);
}

/** Tells objects whose members have the shapes that are given by their names. */
export function isObject<T>(
  members: Readonly<Record<string, Check>>
): Guard<T> {
  const checks = Object.entries(members);
  return (value): value is T =>
    isRecord(value) && checks.every(([name, check]) => check(value[name]));
}

/** Tells what has two shapes. */
export function both<T>(guard: Guard<T>, check: Check): Guard<T> {
  return (value): value is T => guard(value) && check(value);
}

/** Tells objects that have a shape whenever one of their members has a value. */
export function whenever(
  [name, value]: readonly [string, unknown],
  check: Check
): Check {
  return body => isRecord(body) && (body[name] !== value || check(body));
}
