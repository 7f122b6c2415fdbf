/** The texts about a notebook's governance state, which the status item, popover and panel show. */

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

/**
 * The prefix of the path of a user's own key. Such a key has a session as a notebook has, under the path `key:NAME`.
 */
const OWN_KEY = 'key:';
const MAX_CHARACTERS = 200;
let notationOfTimes = new Notation();

/** Set the language in which these texts write times, as a BCP 47 tag; undefined means the browser's language. */
export function writeTimesIn(locale: string | undefined): void {
  notationOfTimes = new Notation(locale);
}

/**
 * Whether the figures in the page are current: they are not loaded yet (`connecting`); they are current (`live`); the
 * server responds, but its events do not arrive (`interrupted`); the last request failed (`unreachable`).
 */
export type Connection = 'connecting' | 'live' | 'interrupted' | 'unreachable';

/** The properties of the model that these texts depend on. */
export interface IStateView {
  readonly state: IGovernanceState | null;
  readonly config: IGovernanceConfig | null;
  readonly connection: Connection;
  readonly failure: { readonly code: string; readonly message: string } | null;
  /** When the server last confirmed the state, in milliseconds since 1970; null or undefined if it is unknown. */
  readonly seenAt?: number | null;
}

/** Which parts the status item shows: trust level and remaining budget, or one of them. */
export type StatusItemContent = 'level-and-left' | 'left' | 'level';

/** A label and the value beside it. */
export interface IRow {
  readonly name: string;
  readonly value: string;
}

/** Return the figures of the budget of the notebook in front; null if no session was ever opened in it. */
export function shownFigures(model: IStateView): IFigures | null {
  return model.state && figuresOf(model.state, model.config?.warn_at ?? []);
}

/**
 * Return the text of the status item in parts. If there is too little room, the last part, which is the most important,
 * is shown in full.
 */
export function summaryParts(
  model: IStateView,
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

/** Return a list with one sentence about why the figures may be out of date; empty if they are current. */
export function connectionNotes(
  model: IStateView,
  trans: TranslationBundle,
  notation: Pick<Notation, 'clock'> = notationOfTimes
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

/** Return the sentences to show below the figures, the most urgent first. */
export function notes(model: IStateView, trans: TranslationBundle): string[] {
  const { state } = model;
  const lines = connectionNotes(model, trans);
  if (state && !state.active) {
    lines.push(trans.__('To start a session, run %governance in a cell.'));
  }
  const warning = state?.active ? budgetWarning(model, trans) : '';
  if (warning) {
    lines.push(warning);
  }
  return lines;
}

/** Return labels and figures of the open session, or of the last one if none is open. */
export function rows(model: IStateView, trans: TranslationBundle): IRow[] {
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

/** Return the heading above the figures, which shows whether governance is on. */
export function heading(model: IStateView, trans: TranslationBundle): string {
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

/** Return {@link severityWords} about the notebook in front; empty if no session is open. */
export function budgetWarning(
  model: IStateView,
  trans: TranslationBundle
): string {
  const figures = shownFigures(model);
  return model.state?.active && figures ? severityWords(figures, trans) : '';
}

/**
 * Return a warning about how much of a budget is spent and held; empty while no warning mark is reached and something
 * is left.
 *
 * Held amounts get a sentence of their own, since they may be released.
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

/** Return a warning about how much of a budget is spent; empty while no warning mark is reached. */
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

/** Return the heading, the figures and the sentences as lines of text, for the tooltip of the status item. */
export function tooltip(model: IStateView, trans: TranslationBundle): string {
  return [
    heading(model, trans),
    ...rows(model, trans).map(row => `${row.name}: ${isolated(row.value)}`),
    ...notes(model, trans)
  ].join('\n');
}

/**
 * Return text of unknown origin on one line of at most 200 characters, with characters that would change its writing
 * direction replaced.
 */
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

/** Return text enclosed in characters that isolate its writing direction from the text around it. */
export function isolated(text: string): string {
  return `\u2068${text}\u2069`;
}

/** Return the name of a user, or `you` for the user of this page. */
function userName(
  name: string,
  config: IGovernanceConfig | null,
  trans: TranslationBundle
): string {
  return config?.user === name ? trans.__('you') : name;
}

/** Return who set the current trust level and budget: the notebook, the server's configuration or a user. */
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

/** Return the label of the current trust level, for example "L2 Suggest". */
function level(state: IGovernanceState, trans: TranslationBundle): string {
  if (state.trust_level === null) {
    return state.trust_label ?? '';
  }
  const known = trustLevels(trans)[state.trust_level];
  return [`L${state.trust_level}`, known?.label ?? state.trust_label ?? '']
    .filter(Boolean)
    .join(' ');
}

/** A trust level, with the words for it. */
export interface ITrustLevel {
  readonly level: number;
  /** The short name: `L0` to `L5`. */
  readonly short: string;
  readonly label: string;
  /** A sentence about what happens to calls and actions at this level. */
  readonly sentence: string;
}

/** Return the six trust levels, from L0 to L5, in the language of the interface. */
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

/** Return the name of the user's own key whose path this is; null if it is the path of a notebook. */
export function ownKeyOf(path: string): string | null {
  return path.startsWith(OWN_KEY) ? path.slice(OWN_KEY.length) : null;
}
