import { PathExt } from '@jupyterlab/coreutils';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { IAuditFilters } from '../server/auditApi';
import { oneLine } from '../words/labels';
import { type Outcome, OUTCOMES } from '../protocol/audit';
import { Button, buttonClass } from '../widgets/button';
import { outcomeWord } from './recordWords';

/** How long after the last key the typed filters apply, in milliseconds. */
const PAUSE = 300;

/** The values of the form's fields. */
interface IFields {
  /** Whether only today's records are listed; `since` and `until` are empty then. */
  readonly isToday: boolean;
  /** Whether only the records of the notebook's last session are listed. */
  readonly isSession: boolean;
  readonly outcome: Outcome | '';
  readonly tool: string;
  readonly agent: string;
  readonly since: string;
  readonly until: string;
  readonly text: string;
}

const EMPTY: IFields = {
  isToday: false,
  isSession: false,
  outcome: '',
  tool: '',
  agent: '',
  since: '',
  until: '',
  text: ''
};

/** The fields that select what was denied today. */
const DENIED_TODAY: IFields = { ...EMPTY, isToday: true, outcome: 'deny' };

/** The fields that apply {@link PAUSE} after the last key; a change of any other field applies at once. */
const TYPED = ['tool', 'agent', 'text', 'since', 'until'] as const;

/** A form with filters for the list of audit records. */
export function AuditFilters(props: AuditFilters.IProps): React.JSX.Element {
  const { onFilter, onType, path, sessionId, today, trans } = props;
  const [fields, setFields] = React.useState(
    props.isDeniedToday === true ? DENIED_TODAY : EMPTY
  );
  const [isHere, setHere] = React.useState(path !== null);
  const [isTyped, setTyped] = React.useState(false);
  const [areTimesOpen, setTimesOpen] = React.useState(false);
  const id = React.useId();
  const session = isHere ? sessionId : null;
  // A layout effect runs before the next paint, so the list never differs from the fields shown.
  React.useLayoutEffect(() => {
    const filters = filtersOf(fields, {
      path: isHere ? path : null,
      session,
      today
    });
    if (!isTyped) {
      onFilter(filters);
      return undefined;
    }
    onType(filters);
    const timer = window.setTimeout(() => onFilter(filters), PAUSE);
    return () => window.clearTimeout(timer);
  }, [fields, isHere, isTyped, path, session, today, onFilter, onType]);
  const set = (changes: Partial<IFields>): void => {
    setTyped(TYPED.some(name => changes[name]));
    setFields({ ...fields, ...changes });
  };
  const isEmpty = Object.values(fields).every(value => !value);
  const hasTimes = fields.since !== '' || fields.until !== '';
  const areTimesShown = areTimesOpen || hasTimes;
  return (
    <div
      className="aumos-AuditFilters"
      role="search"
      aria-label={trans.__('Filter the records')}
      data-times={areTimesShown ? '' : undefined}
    >
      <div
        className="aumos-AuditFilters-presets"
        role="group"
        aria-label={trans.__('Show only')}
      >
        <Preset
          label={trans.__('Today')}
          isOn={fields.isToday}
          onPress={isToday => set({ isToday, since: '', until: '' })}
        />
        <Preset
          label={trans.__('This session')}
          isOn={fields.isSession && session !== null}
          isDisabled={session === null}
          onPress={isSession => set({ isSession })}
        />
        <Preset
          label={trans.__('Denied')}
          isOn={fields.outcome === 'deny'}
          onPress={isDenied => set({ outcome: isDenied ? 'deny' : '' })}
        />
      </div>
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
      <Field label={trans.__('Text')}>
        <Text value={fields.text} onChange={text => set({ text })} />
      </Field>
      <Field label={trans.__('From')} isTime>
        <Moment
          value={fields.since}
          onChange={since => set({ since, isToday: false })}
        />
      </Field>
      <Field label={trans.__('To')} isTime>
        <Moment
          value={fields.until}
          onChange={until => set({ until, isToday: false })}
        />
      </Field>
      <Button
        className={`${buttonClass} aumos-AuditFilters-times`}
        isExpanded={areTimesShown}
        isDisabled={hasTimes}
        onClick={() => setTimesOpen(!areTimesOpen)}
      >
        {trans.__('Times')}
      </Button>
      <Button isDisabled={isEmpty} onClick={() => set(EMPTY)}>
        {trans.__('Clear')}
      </Button>
    </div>
  );
}

/** A namespace for `AuditFilters` statics. */
export namespace AuditFilters {
  /** The properties of the component. */
  export interface IProps {
    /** The notebook whose records can be listed alone, or null. For another notebook, mount the component anew. */
    path: string | null;
    /** Whether only what was denied today is shown at first. */
    isDeniedToday?: boolean;
    /** The tools and agents that occur in the records. */
    tools: readonly string[];
    agents: readonly string[];
    /** The last session of that notebook; null where there is none or it is unknown. */
    sessionId: string | null;
    /** The start of the current day, in milliseconds. */
    today: number;
    trans: TranslationBundle;
    /** Called when the fields select other records; it must be the same function on every render. */
    onFilter: (filters: IAuditFilters) => void;
    /**
     * Called with each key, before `onFilter` is called with the same filters; also the same function on every render.
     */
    onType: (filters: IAuditFilters) => void;
  }
}

/** The values of a filter that do not come from the fields: the notebook and session, or null, and the day. */
interface IFilterContext {
  readonly path: string | null;
  readonly session: string | null;
  readonly today: number;
}

/** Return the filters of the request; an empty field adds none. */
function filtersOf(
  fields: IFields,
  { path, session, today }: IFilterContext
): IAuditFilters {
  return {
    path,
    session_id: fields.isSession ? session : null,
    outcome: fields.outcome || null,
    tool: fields.tool || null,
    agent_id: fields.agent || null,
    text: fields.text || null,
    since: fields.isToday ? new Date(today).toISOString() : isoOf(fields.since),
    until: isoOf(fields.until)
  };
}

/**
 * Convert the value of a time field, in the browser's time zone, to ISO 8601 in UTC; null if it is empty or invalid.
 */
function isoOf(local: string): string | null {
  const time = new Date(local);
  return local === '' || Number.isNaN(time.valueOf())
    ? null
    : time.toISOString();
}

/** A button that turns a common filter on and off. */
function Preset(props: {
  label: string;
  isOn: boolean;
  isDisabled?: boolean;
  onPress: (isOn: boolean) => void;
}): React.JSX.Element {
  const { isDisabled = false, isOn } = props;
  return (
    <Button
      isDisabled={isDisabled}
      isPressed={isOn}
      onClick={() => props.onPress(!isOn)}
    >
      {props.label}
    </Button>
  );
}

function Field(props: {
  label: string;
  isTime?: boolean;
  children: React.ReactNode;
}): React.JSX.Element {
  return (
    <label
      className="aumos-AuditFilters-field"
      data-time={props.isTime ? '' : undefined}
    >
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
