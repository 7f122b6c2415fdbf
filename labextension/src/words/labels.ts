/** A notebook's state in the words of the interface. */

import type { TranslationBundle } from '@jupyterlab/translation';
import { UNREACHABLE } from './failures';
import { figuresOf, type IFigures } from './figures';
import { formatUsd, shortUsd } from './money';
import { Notation } from './notation';
import {
  type IGovernanceConfig,
  type IGovernanceState,
  SET_BY_KERNEL,
  SET_BY_SERVER
} from '../protocol/state';

/** The translation domain of this package. */
export const TRANSLATION_DOMAIN = 'aumos_governance';

/** The prefix of the path of a user key's document: the session of a key. */
const OWN_KEY = 'key:';
const MAX_CHARACTERS = 200;
let plain = new Notation();

/** Write times in a language from now on, given as a BCP 47 tag; undefined, for the browser's own. */
export function writeTimesIn(locale: string | undefined): void {
  plain = new Notation(locale);
}

/**
 * How current the figures are: not loaded yet; changes arrive as they happen; the server responds but
 * changes do not arrive; the server does not respond.
 */
export type Connection = 'connecting' | 'live' | 'interrupted' | 'unreachable';

/** What is known of the notebook that is shown; a model has these fields. */
export interface IKnown {
  readonly state: IGovernanceState | null;
  readonly config: IGovernanceConfig | null;
  readonly connection: Connection;
  readonly failure: { readonly code: string; readonly message: string } | null;
  /** When the server last confirmed the state, in milliseconds; null or undefined if unknown. */
  readonly seenAt?: number | null;
}

/** The parts of the status item that are shown. */
export type StatusItemContent = 'level-and-left' | 'left' | 'level';

/** A figure and its name. */
export interface IRow {
  readonly name: string;
  readonly value: string;
}

/** The figures of a model's state; null if there are none. */
export function shownFigures(model: IKnown): IFigures | null {
  return model.state && figuresOf(model.state, model.config?.warn_at ?? []);
}

/** The text of the status item. */
export function summary(
  model: IKnown,
  trans: TranslationBundle,
  content: StatusItemContent = 'level-and-left'
): string {
  return summaryParts(model, trans, content).join('');
}

/** The same in parts; the last is the most important and must not be cut. */
export function summaryParts(
  model: IKnown,
  trans: TranslationBundle,
  content: StatusItemContent = 'level-and-left'
): readonly string[] {
  const { state } = model;
  if (model.connection === 'unreachable') {
    return [trans.__('Governance: unreachable')];
  }
  if (!state) {
    return [trans.__('Governance: …')];
  }
  const figures = shownFigures(model);
  if (!state.active || !figures) {
    return [trans.__('Governance: off')];
  }
  const left =
    figures.over > 0n
      ? trans.__('%1 over', shortUsd(figures.over))
      : trans.__('%1 left', shortUsd(figures.remaining));
  switch (content) {
    case 'level':
      return [level(state, trans)];
    case 'left':
      return [left];
    default:
      return [`${level(state, trans)} · `, left];
  }
}

/** How current the figures are, in one line; empty if they are current. */
export function doubts(
  model: IKnown,
  trans: TranslationBundle,
  notation: Pick<Notation, 'clock'> = plain
): string[] {
  const { state, failure, seenAt } = model;
  if (failure?.code === 'NOT_ENABLED') {
    return [trans.__('The governance server extension is not enabled.')];
  }
  if (failure !== null && failure.code !== UNREACHABLE) {
    return [
      trans.__("The server can't show the values: %1", oneLine(failure.message))
    ];
  }
  if (failure === null && model.connection !== 'interrupted') {
    return [];
  }
  const time = state && seenAt != null ? notation.clock(seenAt) : null;
  if (failure !== null) {
    return [
      time === null
        ? trans.__("Can't reach the server.")
        : trans.__("Can't reach the server. Showing values from %1.", time)
    ];
  }
  return [
    time === null
      ? trans.__('Reconnecting…')
      : trans.__('Reconnecting… Showing values from %1.', time)
  ];
}

/** Messages besides the figures, the most urgent first. */
export function notes(model: IKnown, trans: TranslationBundle): string[] {
  const { state } = model;
  const lines = doubts(model, trans);
  if (state && !state.active) {
    lines.push(trans.__('To start a session, run %governance in a cell.'));
  }
  const warning = state?.active ? alarm(model, trans) : '';
  if (warning) {
    lines.push(warning);
  }
  return lines;
}

/** The figures by name; those of the last session if none is open. */
export function rows(model: IKnown, trans: TranslationBundle): IRow[] {
  const { state } = model;
  const figures = shownFigures(model);
  if (!state || !figures) {
    return [];
  }
  const list = [
    { name: trans.__('Trust level'), value: level(state, trans) },
    { name: trans.__('Budget'), value: formatUsd(figures.budget) },
    { name: trans.__('Spent'), value: formatUsd(figures.spent) },
    { name: trans.__('Held'), value: formatUsd(figures.held) },
    { name: trans.__('Left'), value: formatUsd(figures.remaining) },
    {
      name: trans.__('Over'),
      value: figures.over > 0n ? formatUsd(figures.over) : ''
    },
    { name: trans.__('Set by'), value: setBy(state, model.config, trans) },
    { name: trans.__('Agent'), value: state.agent_id ?? '' },
    { name: trans.__('Shared with'), value: state.shared_with ?? '' }
  ];
  return list
    .filter(row => row.value)
    .map(row => ({ ...row, value: oneLine(row.value) }));
}

/** Whether the figures are current, or those of a closed session. */
export function heading(model: IKnown, trans: TranslationBundle): string {
  if (model.connection === 'unreachable') {
    return trans.__('Governance: unreachable');
  }
  if (model.state?.active) {
    return trans.__('Governance');
  }
  return model.state?.session_id
    ? trans.__('Governance: off (last session)')
    : trans.__('Governance: off');
}

/** How much of the budget is spent, in words, once a warning mark is passed or nothing is left; else empty. */
export function alarm(model: IKnown, trans: TranslationBundle): string {
  const figures = shownFigures(model);
  return model.state?.active && figures ? severityWords(figures, trans) : '';
}

/**
 * How much of a budget is spent, in words, once a warning mark is passed or nothing is left; else empty.
 *
 * Held money is stated separately, since it may be released.
 */
export function severityWords(
  figures: IFigures,
  trans: TranslationBundle
): string {
  const spent = spentWords(figures, trans);
  if (figures.over > 0n && figures.spent <= figures.budget) {
    return trans.__(
      'Spent and held exceed the budget by %1.',
      shortUsd(figures.over)
    );
  }
  if (figures.held === 0n || (spent === '' && figures.remaining > 0n)) {
    return spent;
  }
  const held =
    figures.remaining > 0n || figures.severity === 'full'
      ? trans.__('%1 is held.', shortUsd(figures.held))
      : trans.__('Nothing is left while %1 is held.', shortUsd(figures.held));
  return [spent, held].filter(Boolean).join(' ');
}

/** How much of a budget is spent, in words, once a warning mark is passed; else empty. */
export function spentWords(
  figures: IFigures,
  trans: TranslationBundle
): string {
  if (figures.spent > figures.budget) {
    return trans.__(
      'The budget is exceeded by %1.',
      shortUsd(figures.spent - figures.budget)
    );
  }
  if (figures.severity === 'full') {
    return trans.__('The whole budget is spent.');
  }
  return figures.passed === null
    ? ''
    : trans.__(
        'At least %1% of the budget is spent.',
        Math.round(figures.passed * 100)
      );
}

/** All of it in plain lines, for a tooltip. */
export function tooltip(model: IKnown, trans: TranslationBundle): string {
  return [
    heading(model, trans),
    ...rows(model, trans).map(row => `${row.name}: ${isolated(row.value)}`),
    ...notes(model, trans)
  ].join('\n');
}

/** Text of unknown origin on one line of limited length, which cannot change the direction of the rest. */
export function oneLine(text: string): string {
  const line = text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .replace(/[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/g, '\uFFFD')
    .trim();
  const characters = Array.from(line.slice(0, 2 * MAX_CHARACTERS));
  return characters.length > MAX_CHARACTERS
    ? `${characters.slice(0, MAX_CHARACTERS - 1).join('')}…`
    : line;
}

/** Text whose writing direction does not affect the text around it. */
export function isolated(text: string): string {
  return `\u2068${text}\u2069`;
}

/** The name of a record's user; on a server with one user, that is the reader. */
export function userName(
  name: string,
  config: IGovernanceConfig | null,
  trans: TranslationBundle
): string {
  return config?.user === name ? trans.__('you') : name;
}

/** Who set the current values. */
export function setBy(
  state: IGovernanceState,
  config: IGovernanceConfig | null,
  trans: TranslationBundle
): string {
  switch (state.set_by) {
    case SET_BY_KERNEL:
      return trans.__('the notebook');
    case SET_BY_SERVER:
      return trans.__("the server's configuration");
    default:
      return oneLine(userName(state.set_by ?? '', config, trans));
  }
}

/** The name of a trust level, in the language of the interface. */
function level(state: IGovernanceState, trans: TranslationBundle): string {
  if (state.trust_level === null) {
    return state.trust_label ?? '';
  }
  const known = trustLevels(trans)[state.trust_level];
  return [`L${state.trust_level}`, known?.label ?? state.trust_label ?? '']
    .filter(Boolean)
    .join(' ');
}

/** A trust level, and what a notebook may do at it. */
export interface ITrustLevel {
  readonly level: number;
  /** `L0` to `L5`. */
  readonly short: string;
  readonly label: string;
  /** What it means for calls and actions, in a sentence. */
  readonly sentence: string;
}

/** The levels from the tightest to the loosest. */
export function trustLevels(trans: TranslationBundle): readonly ITrustLevel[] {
  return [
    [trans.__('Observer'), trans.__('All calls and actions are denied.')],
    [
      trans.__('Monitor'),
      trans.__(
        'Calls run within the budget, except those for which the notebook requires L2 or more. Actions are suggested, not run.'
      )
    ],
    [
      trans.__('Suggest'),
      trans.__(
        'Calls run within the budget, including those for which the notebook requires L2. Actions are suggested, not run.'
      )
    ],
    [
      trans.__('Act (Approval Required)'),
      trans.__('Each action waits until a user approves it here.')
    ],
    [
      trans.__('Act (Report After)'),
      trans.__('Actions run at once, and are reported here afterwards.')
    ],
    [
      trans.__('Autonomous'),
      trans.__('Actions run at once, and are only recorded.')
    ]
  ].map(([label = '', sentence = ''], level) => ({
    level,
    short: `L${level}`,
    label,
    sentence
  }));
}

/** The name of the user's key that a path belongs to; null for a notebook. */
export function ownKeyOf(path: string): string | null {
  return path.startsWith(OWN_KEY) ? path.slice(OWN_KEY.length) : null;
}
