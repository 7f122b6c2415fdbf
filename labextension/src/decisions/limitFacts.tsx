import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { ILimitRequest } from '../protocol/waiting';
import type { IGovernanceModel } from '../tokens';
import { formatAge } from '../widgets/ages';
import { CellLink } from '../widgets/cellLink';
import { useNow } from '../widgets/clock';
import { Money, Note, OneLine } from '../widgets/words';
import { limitWords } from '../words/limits';
import { TimeLeft } from './timeLeft';

/** Shows the calls of one session that wait at a limit: the first call, its cost, and how much more money it needs. */
export function LimitFacts(props: LimitFacts.IProps): React.JSX.Element {
  const { isElsewhere, model, request, title, trans } = props;
  const now = useNow();
  const words = limitWords(request, model, trans);
  return (
    <>
      <div className="aumos-Card-heading" id={title}>
        <OneLine text={request.tool} className="aumos-Card-tool" />
        <Money amount={request.amount} isExact />
      </div>
      <p className="aumos-Card-origin">
        {request.agent_id !== null && <OneLine text={request.agent_id} />}
        {isElsewhere && <OneLine text={request.notebook} />}
        {!props.isAtCell && (
          <CellLink cell={request.cell} path={request.notebook} trans={trans} />
        )}
        <span>{formatAge(request.at, now, trans)}</span>
        <TimeLeft until={request.until} trans={trans} />
      </p>
      <p className="aumos-Card-after" data-short="">
        {words.needs}
      </p>
      {words.all !== null && <p className="aumos-Card-after">{words.all}</p>}
      {words.advice !== null && <Note>{words.advice}</Note>}
    </>
  );
}

/** A namespace for the types that belong to `LimitFacts`. */
export namespace LimitFacts {
  /** The properties of the component `LimitFacts`. */
  export interface IProps {
    /** Whether to leave out the link to the cell, because the user sees the cell. */
    isAtCell?: boolean;
    /** Whether to name the notebook of the calls, because they are not shown at that notebook. */
    isElsewhere: boolean;
    model: IGovernanceModel;
    request: ILimitRequest;
    /** The `id` for the heading element, with which the caller labels the element around it. */
    title: string;
    trans: TranslationBundle;
  }
}
