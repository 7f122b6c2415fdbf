import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { AuditPages } from './auditPages';
import { oneLine } from '../words/labels';
import { formatUsd, shortUsd } from '../words/money';
import { useNotation } from '../widgets/notation';
import type { IAuditRecord } from '../protocol/audit';
import type { IGovernanceConfig } from '../protocol/state';
import {
  eventWord,
  outcomeOf,
  requesterOf,
  shortOutcomeOf,
  subjectOf
} from './recordWords';
import { verdictOf } from '../words/verdicts';

/** The height of a row in pixels, the same as in `style/audit.css`. */
const ROW_HEIGHT = 26;
/** How many rows are drawn above and below the visible ones, so that scrolling shows no gap. */
const MARGIN = 8;
/**
 * How many row elements the table reuses while it is scrolled. If more rows are visible, it uses a multiple of this.
 */
const SLOTS = 64;
/** The most rows that the table shows, since browsers limit the height of an element. */
const MAX_ROWS = 600_000;

/**
 * A table of audit records that can be scrolled through any number of records: only the rows in view are elements of
 * the page.
 *
 * The table is one stop of the Tab key. Arrow keys, Page Up, Page Down, Home and End move through the rows; Enter or
 * Space opens a record in detail.
 */
export function AuditTable(props: AuditTable.IProps): React.JSX.Element {
  const { pages, selected, trans } = props;
  const grid = React.useRef<HTMLDivElement>(null);
  const [view, setView] = React.useState({ top: 0, height: 400 });
  const [active, setActive] = React.useState(0);
  const id = React.useId();
  const total = Math.min(pages.length ?? 0, MAX_ROWS);
  const first = Math.max(0, Math.floor(view.top / ROW_HEIGHT) - MARGIN);
  const last = Math.min(
    total - 1,
    Math.ceil((view.top + view.height) / ROW_HEIGHT) + MARGIN
  );

  React.useEffect(() => {
    pages.want(first, Math.max(first, last));
  }, [pages, first, last]);

  React.useEffect(() => {
    const node = grid.current;
    if (!node) {
      return;
    }
    let frame = 0;
    const readScroll = (): void => {
      frame = 0;
      setView(({ height }) => ({ top: node.scrollTop, height }));
    };
    // Measure at once and not in an animation frame: when the theme changes, the height can be 0 in the next frame.
    const measure = (): void =>
      setView({ top: node.scrollTop, height: node.clientHeight });
    // A mouse wheel fires several scroll events per frame, but the position needs to be read only once.
    const later = (): void => {
      frame ||= requestAnimationFrame(readScroll);
    };
    const observer = new ResizeObserver(measure);
    observer.observe(node);
    node.addEventListener('scroll', later, { passive: true });
    measure();
    return () => {
      cancelAnimationFrame(frame);
      observer.disconnect();
      node.removeEventListener('scroll', later);
    };
  }, []);

  const { onTop } = props;
  const isAtTop = view.top < ROW_HEIGHT;
  React.useEffect(() => onTop(isAtTop), [onTop, isAtTop]);

  // A row whose record is not loaded yet cannot be opened; the detail of the open record stays.
  const select = (record: IAuditRecord | null): void => {
    if (record !== null) {
      props.onSelect(record);
    }
  };

  const go = (index: number): void => {
    const node = grid.current;
    const to = Math.max(0, Math.min(total - 1, index));
    setActive(to);
    if (!node) {
      return;
    }
    // The header row stays at the top and covers the first visible row, so one more row's height is scrolled.
    const top = to * ROW_HEIGHT;
    if (top < node.scrollTop) {
      node.scrollTop = top;
    } else if (top + 2 * ROW_HEIGHT > node.scrollTop + node.clientHeight) {
      node.scrollTop = top + 2 * ROW_HEIGHT - node.clientHeight;
    }
  };

  const onKey = (event: React.KeyboardEvent): void => {
    const page = Math.max(1, Math.floor(view.height / ROW_HEIGHT) - 2);
    const steps: Partial<Record<string, number>> = {
      ArrowUp: active - 1,
      ArrowDown: active + 1,
      PageUp: active - page,
      PageDown: active + page,
      Home: 0,
      End: total - 1
    };
    const to = steps[event.key];
    const isEnter = event.key === 'Enter' || event.key === ' ';
    if (event.altKey || event.ctrlKey || event.metaKey) {
      return;
    }
    if (to !== undefined) {
      go(to);
    } else if (isEnter) {
      select(pages.record(active));
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  const slots = SLOTS * Math.ceil((last - first + 1) / SLOTS);
  const rows: React.JSX.Element[] = [];
  for (let index = first; index <= last; index += 1) {
    const record = pages.record(index);
    rows.push(
      <AuditRow
        // A key that repeats lets React reuse the element of a row that leaves the view for a row that enters it.
        key={index % slots}
        id={`${id}-${index}`}
        index={index}
        record={record}
        isActive={index === active}
        isSelected={record !== null && record.record_id === selected}
        today={props.today}
        config={props.config}
        trans={trans}
        onPress={(pressed, which) => {
          setActive(which);
          select(pressed);
        }}
      />
    );
  }
  return (
    <div
      ref={grid}
      className="aumos-AuditTable"
      role="grid"
      aria-label={trans.__('Audit records, newest first')}
      aria-rowcount={pages.length === null ? -1 : total + 1}
      aria-colcount={8}
      aria-busy={pages.isReading}
      aria-activedescendant={
        active >= first && active <= last ? `${id}-${active}` : undefined
      }
      tabIndex={0}
      data-lead=""
      onKeyDown={onKey}
    >
      <div role="rowgroup" className="aumos-AuditTable-head">
        <div role="row" className="aumos-AuditTable-row" aria-rowindex={1}>
          {[
            trans.__('Time'),
            trans.__('Event'),
            trans.__('Outcome'),
            trans.__('Tool'),
            trans.__('Requested by'),
            trans.__('Amount'),
            trans.__('Spent'),
            trans.__('Reason')
          ].map(name => (
            <span key={name} role="columnheader">
              {name}
            </span>
          ))}
        </div>
      </div>
      <div
        role="rowgroup"
        className="aumos-AuditTable-body"
        style={{ height: `${total * ROW_HEIGHT}px` }}
      >
        {rows}
      </div>
    </div>
  );
}

/** A namespace for the types that belong to `AuditTable`. */
export namespace AuditTable {
  /** The properties of the component `AuditTable`. */
  export interface IProps {
    pages: AuditPages;
    /** The id of the record that is open in detail; null for none. */
    selected: string | null;
    /** Any time of the current day, in milliseconds since 1970: records of this day are shown without their date. */
    today: number;
    /**
     * The configuration with the name of the page's user, whose records are labelled "You"; null until it is loaded.
     */
    config: IGovernanceConfig | null;
    trans: TranslationBundle;
    /** Called when a record is to be opened in detail. */
    onSelect: (record: IAuditRecord) => void;
    /** Called with whether the first row is in view, at first and whenever that changes. */
    onTop: (isAtTop: boolean) => void;
  }
}

interface IRowProps {
  id: string;
  index: number;
  record: IAuditRecord | null;
  isActive: boolean;
  isSelected: boolean;
  today: number;
  config: IGovernanceConfig | null;
  trans: TranslationBundle;
  onPress: (record: IAuditRecord | null, index: number) => void;
}

/** The properties of a row that its appearance depends on. */
const DRAWN_FROM = [
  'id',
  'record',
  'isActive',
  'isSelected',
  'today',
  'config',
  'trans'
] as const;

/**
 * A table row that is rendered again only if a property in {@link DRAWN_FROM} differs; a new `onPress` alone does not
 * matter.
 */
const AuditRow = React.memo(Row, (before, after) =>
  DRAWN_FROM.every(name => before[name] === after[name])
);

function Row(props: IRowProps): React.JSX.Element {
  const { index, record, trans } = props;
  const notation = useNotation();
  return (
    <div
      id={props.id}
      role="row"
      className="aumos-AuditTable-row"
      aria-rowindex={index + 2}
      aria-selected={props.isSelected}
      data-active={props.isActive || undefined}
      style={{ transform: `translateY(${index * ROW_HEIGHT}px)` }}
      onClick={() => props.onPress(record, index)}
    >
      {record === null ? (
        <span role="gridcell" aria-colspan={8} className="aumos-AuditTable-gap">
          …
        </span>
      ) : (
        <>
          <span role="gridcell">{notation.time(record.at, props.today)}</span>
          <Cell text={eventWord(record.event, trans)} />
          <span
            role="gridcell"
            className="aumos-Outcome"
            data-outcome={verdictOf(record)}
            title={outcomeOf(record, trans)}
          >
            <span className="aumos-OneLine">
              {shortOutcomeOf(record, trans)}
            </span>
          </span>
          <Cell text={subjectOf(record)} />
          <Cell text={requesterOf(record, props.config, trans)} />
          <Amount usd={record.amount} />
          <Amount usd={record.spent_delta} />
          <Cell text={record.reasons.join(' ')} />
        </>
      )}
    </div>
  );
}

function Cell(props: { text: string }): React.JSX.Element {
  const line = oneLine(props.text);
  return (
    <span role="gridcell" title={line || undefined}>
      <bdi>{line}</bdi>
    </span>
  );
}

/**
 * A cell with an amount of money, rounded if it is long and with the exact amount as its tooltip; empty if the amount
 * is zero.
 */
function Amount(props: { usd: string }): React.JSX.Element {
  return (
    <span
      role="gridcell"
      className="aumos-AuditTable-amount"
      title={props.usd === '0' ? undefined : formatUsd(props.usd)}
    >
      {props.usd === '0' ? '' : shortUsd(props.usd)}
    </span>
  );
}
