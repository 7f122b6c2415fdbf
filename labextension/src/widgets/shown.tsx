import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import { textOf } from '../words/foreignText';
import { isRecord } from '../protocol/guards';
import { parseUsd } from '../words/money';
import { ForeignText } from './foreignText';
import { OneLine } from './words';

/**
 * The content of an action that waits for approval or was reported, exactly as its caller sent it: all of it, since the
 * user decides about all of it.
 *
 * Only values that the surrounding card already shows are left out.
 */
export function Shown(props: Shown.IProps): React.JSX.Element | null {
  const { shown, trans } = props;
  if (shown === null || shown === undefined) {
    return null;
  }
  if (!isRecord(shown)) {
    return (
      <Value value={shown} isCode={typeof shown !== 'string'} {...props} />
    );
  }
  const rows = Object.entries(shown).filter(
    ([name, value]) => value !== null && !isRepeated(name, value, props)
  );
  return rows.length === 0 ? null : (
    <dl className="aumos-Shown">
      {rows.sort(byPlace).map(([name, value]) => (
        <React.Fragment key={name}>
          <dt>{title(name, trans)}</dt>
          <dd>
            {name === 'arguments' && isNamedArguments(value) ? (
              <Arguments named={value} {...props} />
            ) : (
              <Value
                value={value}
                isCode={name === 'code' || typeof value !== 'string'}
                isProgram={name === 'code'}
                {...props}
              />
            )}
          </dd>
        </React.Fragment>
      ))}
    </dl>
  );
}

/** A namespace for the types that belong to `Shown`. */
export namespace Shown {
  /** The properties of the component `Shown`. */
  export interface IProps {
    shown: unknown;
    /** The values that the surrounding card already shows. */
    around: { tool: string; agent: string | null; amount: string | null };
    trans: TranslationBundle;
  }
}

/** The order in which known fields are shown; all other fields follow. */
const ORDER = ['tool', 'arguments', 'code', 'cost', 'agent'];

function byPlace(a: [string, unknown], b: [string, unknown]): number {
  return place(a[0]) - place(b[0]);
}

function place(name: string): number {
  const index = ORDER.indexOf(name);
  return index < 0 ? ORDER.length : index;
}

function isRepeated(
  name: string,
  value: unknown,
  props: Shown.IProps
): boolean {
  const { around } = props;
  switch (name) {
    case 'tool':
      return value === around.tool;
    case 'agent':
    case 'agent_id':
      return value === around.agent;
    case 'cost':
    case 'amount':
      return around.amount !== null && isSameAmount(value, around.amount);
    default:
      return false;
  }
}

function isSameAmount(value: unknown, amount: string): boolean {
  try {
    return typeof value === 'string' && parseUsd(value) === parseUsd(amount);
  } catch {
    return false;
  }
}

function title(name: string, trans: TranslationBundle): React.ReactNode {
  switch (name) {
    case 'tool':
      return trans.__('Tool');
    case 'arguments':
      return trans.__('Arguments');
    case 'code':
      return trans.__('Code');
    case 'cost':
      return trans.__('Cost');
    case 'agent':
      return trans.__('Agent');
    case 'result':
      return trans.__('Result');
    case 'spent':
      return trans.__('Spent');
    default:
      return <OneLine text={name} />;
  }
}

function isNamedArguments(value: unknown): value is Record<string, unknown> {
  return isRecord(value) && Object.keys(value).length > 0;
}

function Arguments(
  props: Shown.IProps & { named: Record<string, unknown> }
): React.JSX.Element {
  const { named, ...rest } = props;
  return (
    <dl className="aumos-Shown-arguments">
      {Object.entries(named).map(([name, value]) => (
        <React.Fragment key={name}>
          <dt>
            <OneLine text={name} />
          </dt>
          <dd>
            <Value value={value} isCode={true} {...rest} />
          </dd>
        </React.Fragment>
      ))}
    </dl>
  );
}

function Value(
  props: Shown.IProps & {
    value: unknown;
    isCode: boolean;
    isProgram?: boolean;
  }
): React.JSX.Element {
  return (
    <ForeignText
      text={textOf(props.value)}
      isCode={props.isCode}
      isProgram={props.isProgram ?? false}
      trans={props.trans}
    />
  );
}
