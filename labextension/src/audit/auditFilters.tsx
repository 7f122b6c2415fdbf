import { PathExt } from '@jupyterlab/coreutils';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { IAuditFilters } from '../server/auditApi';
import { oneLine } from '../words/labels';
import { type Outcome, OUTCOMES } from '../protocol/audit';
import { Button } from '../widgets/button';
import { outcomeWord } from './recordWords';

/** How long nothing must be typed before the list follows what was typed, in milliseconds. */
const PAUSE = 300;

/** What a person narrows the list by, as it stands in the fields. */
interface IFields {
  readonly outcome: Outcome | '';
  readonly tool: string;
  readonly agent: string;
  readonly since: string;
  readonly until: string;
  readonly text: string;
}

const EMPTY: IFields = {
  outcome: '',
  tool: '',
  agent: '',
  since: '',
  until: '',
  text: ''
};

/** The fields that narrow the list of records. */
export function AuditFilters(props: AuditFilters.IProps): React.JSX.Element {
  const { onFilter, path, trans } = props;
  const [fields, setFields] = React.useState(EMPTY);
  const [isHere, setHere] = React.useState(path !== null);
  const id = React.useId();
  React.useEffect(() => {
    const timer = window.setTimeout(
      () => onFilter(filtersOf(fields, isHere ? path : null)),
      PAUSE
    );
    return () => window.clearTimeout(timer);
  }, [fields, isHere, path, onFilter]);
  const set = (changes: Partial<IFields>): void =>
    setFields({ ...fields, ...changes });
  const isEmpty = Object.values(fields).every(value => value === '');
  return (
    <div
      className="aumos-AuditFilters"
      role="search"
      aria-label={trans.__('Filter the records')}
    >
      <Field label={trans.__('Notebook')}>
        <select
          className="jp-mod-styled"
          value={isHere ? 'here' : 'all'}
          onChange={event => setHere(event.currentTarget.value === 'here')}
        >
          {path !== null && (
            <option value="here">{oneLine(PathExt.basename(path))}</option>
          )}
          <option value="all">{trans.__('All notebooks')}</option>
        </select>
      </Field>
      <Field label={trans.__('Outcome')}>
        <select
          className="jp-mod-styled"
          value={fields.outcome}
          onChange={event =>
            set({ outcome: event.currentTarget.value as Outcome | '' })
          }
        >
          <option value="">{trans.__('Any')}</option>
          {OUTCOMES.map(outcome => (
            <option key={outcome} value={outcome}>
              {outcomeWord(outcome, trans)}
            </option>
          ))}
        </select>
      </Field>
      <Field label={trans.__('Tool')}>
        <Text
          value={fields.tool}
          list={`${id}-tools`}
          onChange={tool => set({ tool })}
        />
        <Names id={`${id}-tools`} names={props.tools} />
      </Field>
      <Field label={trans.__('Agent')}>
        <Text
          value={fields.agent}
          list={`${id}-agents`}
          onChange={agent => set({ agent })}
        />
        <Names id={`${id}-agents`} names={props.agents} />
      </Field>
      <Field label={trans.__('From')}>
        <Moment value={fields.since} onChange={since => set({ since })} />
      </Field>
      <Field label={trans.__('To')}>
        <Moment value={fields.until} onChange={until => set({ until })} />
      </Field>
      <Field label={trans.__('Text')}>
        <Text value={fields.text} onChange={text => set({ text })} />
      </Field>
      <Button isDisabled={isEmpty} onClick={() => setFields(EMPTY)}>
        {trans.__('Clear')}
      </Button>
    </div>
  );
}

/** A namespace for `AuditFilters` statics. */
export namespace AuditFilters {
  /** The properties of the component. */
  export interface IProps {
    /** The notebook whose records can be looked at alone; null where there is none. Another is another component. */
    path: string | null;
    /** The tools and agents that there are records of. */
    tools: readonly string[];
    agents: readonly string[];
    trans: TranslationBundle;
    /** Called when the fields say something else, and have for a moment; it must not be another each time. */
    onFilter: (filters: IAuditFilters) => void;
  }
}

/** What the fields ask of the server: nothing of a field that is empty. */
function filtersOf(fields: IFields, path: string | null): IAuditFilters {
  return {
    path,
    outcome: fields.outcome || null,
    tool: fields.tool || null,
    agent_id: fields.agent || null,
    text: fields.text || null,
    since: isoOf(fields.since),
    until: isoOf(fields.until)
  };
}

/** A time of the reader's time zone as the server takes it. */
function isoOf(local: string): string | null {
  const time = new Date(local);
  return local === '' || Number.isNaN(time.valueOf())
    ? null
    : time.toISOString();
}

function Field(props: {
  label: string;
  children: React.ReactNode;
}): React.JSX.Element {
  return (
    <label className="aumos-AuditFilters-field">
      <span>{props.label}</span>
      {props.children}
    </label>
  );
}

function Text(props: {
  value: string;
  list?: string;
  onChange: (value: string) => void;
}): React.JSX.Element {
  return (
    <input
      className="jp-mod-styled"
      type="search"
      autoComplete="off"
      spellCheck={false}
      maxLength={1000}
      list={props.list}
      value={props.value}
      onChange={event => props.onChange(event.currentTarget.value)}
    />
  );
}

function Moment(props: {
  value: string;
  onChange: (value: string) => void;
}): React.JSX.Element {
  return (
    <input
      className="jp-mod-styled"
      type="datetime-local"
      step={1}
      value={props.value}
      onChange={event => props.onChange(event.currentTarget.value)}
    />
  );
}

function Names(props: {
  id: string;
  names: readonly string[];
}): React.JSX.Element {
  return (
    <datalist id={props.id}>
      {props.names.map(name => (
        <option key={name} value={name} />
      ))}
    </datalist>
  );
}
