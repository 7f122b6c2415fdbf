import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { IReport } from '../../protocol/waiting';
import type { IGovernanceModel } from '../../tokens';
import type { WaitingReports } from '../../state/waitingReports';
import { formatAge } from '../../widgets/ages';
import { CellLink } from '../../widgets/cellLink';
import { useNow } from '../../widgets/clock';
import { useAction, usePermission } from '../../widgets/hooks';
import { focusNext } from '../../widgets/focus';
import { UserButton } from '../../widgets/userButton';
import type { IPanelSection, ISectionProps } from '../../tokens';
import { Shown } from '../../widgets/shown';
import { WaitingCards, WaitingCount } from './waitingCards';
import { ErrorLine, OneLine } from '../../widgets/words';

/**
 * Return the section with the reports on actions at trust level 4 (Report After) that no user has acknowledged; it is
 * hidden if there are none.
 */
export function reportsSection(store: WaitingReports): IPanelSection {
  return {
    id: 'reports',
    rank: 50,
    title: trans => trans.__('To review'),
    needsNotebook: false,
    isShown: () => store.entries.length > 0,
    changed: store.changed,
    Body: props => <Reports store={store} {...props} />,
    Badge: () => <WaitingCount store={store} />
  };
}

/** The reports, first those of the notebook that the panel shows, each with a button that acknowledges it. */
function Reports(
  props: ISectionProps & { store: WaitingReports }
): React.JSX.Element {
  const { model, path, store, trans } = props;
  const now = useNow();
  return (
    <WaitingCards
      store={store}
      path={path}
      more={trans.__('More reports are shown when these are acknowledged.')}
      draw={({ entry, ...place }) => (
        <ReportCard
          report={entry}
          acknowledge={key => store.acknowledge(entry, key)}
          model={model}
          now={now}
          trans={trans}
          {...place}
        />
      )}
    />
  );
}

interface IReportCardProps {
  report: IReport;
  acknowledge: (key: string) => Promise<void>;
  isElsewhere: boolean;
  isFirst: boolean;
  model: IGovernanceModel;
  now: number;
  trans: TranslationBundle;
}

function ReportCard(props: IReportCardProps): React.JSX.Element {
  const { acknowledge, isElsewhere, isFirst, model, now, report, trans } =
    props;
  const permission = usePermission(model, trans);
  const action = useAction(trans);
  const card = React.useRef<HTMLLIElement>(null);
  const title = React.useId();
  return (
    <li
      ref={card}
      className="aumos-Card"
      data-report={report.id}
      data-lead={isFirst ? '' : undefined}
      tabIndex={-1}
      aria-labelledby={title}
    >
      <div className="aumos-Card-heading" id={title}>
        <OneLine text={report.tool} className="aumos-Card-tool" />
      </div>
      <p className="aumos-Card-origin">
        {report.agent_id !== null && <OneLine text={report.agent_id} />}
        {isElsewhere && <OneLine text={report.notebook} />}
        <CellLink cell={report.cell} path={report.notebook} trans={trans} />
        <span>{formatAge(report.at, now, trans)}</span>
      </p>
      <Shown
        shown={report.shown}
        around={{ tool: report.tool, agent: report.agent_id, amount: null }}
        trans={trans}
      />
      <div className="aumos-Actions">
        <UserButton
          isDisabled={permission.isDisabled || action.isPending}
          why={permission.why}
          onUserPress={() =>
            action.run(async key => {
              await acknowledge(key);
              focusNext(card.current);
            })
          }
        >
          {trans.__('Acknowledge')}
        </UserButton>
      </div>
      <ErrorLine message={action.message} />
    </li>
  );
}
