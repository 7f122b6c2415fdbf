import { PathExt } from '@jupyterlab/coreutils';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { IAuditFilters } from '../server/auditApi';
import { oneLine } from '../words/labels';
import { type Outcome, OUTCOMES } from '../protocol/audit';
import { Button, buttonClass } from '../widgets/button';
import { outcomeWord } from './recordWords';

/** The time between the last keystroke in a field and the call of `onFilter`, in milliseconds. */
const PAUSE = 300;

/** The values that the user entered in the form. */
interface IFields {
  /** Whether only records of today are listed; `since` and `until` are empty then. */
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

/** The values of the form that select the requests denied today. */
const DENIED_TODAY: IFields = { ...EMPTY, isToday: true, outcome: 'deny' };

/**
 * The fields in which the user types: `onFilter` is called {@link PAUSE} after the last keystroke in them, and at once
 * after a change of any other field.
 */
const TYPED = ['tool', 'agent', 'text', 'since', 'until'] as const;

/** A form with which the user filters the list of audit records. */
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

/** A namespace for the types that belong to `AuditFilters`. */
export namespace AuditFilters {
  /** The properties of the component `AuditFilters`. */
  export interface IProps {
    /**
     * The path of a notebook that the field Notebook offers besides all notebooks; null if there is only "All
     * notebooks". For another path, give the component another `key`: the form keeps its first choice otherwise.
     */
    path: string | null;
    /** Whether the form starts with the filters Today and Denied turned on; false if omitted. */
    isDeniedToday?: boolean;
    /** The tools and agents that occur in the records. */
    tools: readonly string[];
    agents: readonly string[];
    /**
     * The id of the last session of the notebook at `path`, for the filter "This session"; null if there is no session
     * or it is unknown.
     */
    sessionId: string | null;
    /** The time at which the current day began in the browser's time zone, in milliseconds since 1970. */
    today: number;
    trans: TranslationBundle;
    /**
     * Called with the new filters when the user has changed them, {@link PAUSE} after the last keystroke in a text
     * field. It must be the same function on every render.
     */
    onFilter: (filters: IAuditFilters) => void;
    /**
     * Called at each keystroke in a text field, before `onFilter` is called with the same filters. It must be the same
     * function on every render.
     */
    onType: (filters: IAuditFilters) => void;
  }
}

/**
 * The parts of a filter that are not in {@link IFields}: the notebook's path and session id, or null, and the start of
 * the day.
 */
interface IFilterContext {
  readonly path: string | null;
  readonly session: string | null;
  readonly today: number;
}

/** Return the filters of the request to the server; an empty field becomes null, which filters nothing. */
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
 * Convert the value of a date and time field, which is in the browser's time zone, to ISO 8601 in UTC; return null if
 * it is empty or invalid.
 */
function isoOf(local: string): string | null {
  const time = new Date(local);
  return local === '' || Number.isNaN(time.valueOf())
    ? null
    : time.toISOString();
}

/** A button above the fields that turns one filter, such as Today, on and off. */
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
