import { ReactWidget } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import { ApprovalFacts } from '../decisions/approvalFacts';
import { DecideButtons } from '../decisions/decideButtons';
import type { IDecisions } from '../decisions/decisionDialog';
import type { ILimitActions } from '../decisions/denyDialog';
import { LimitButtons } from '../decisions/limitButtons';
import { LimitFacts } from '../decisions/limitFacts';
import type { IApproval, ILimitRequest } from '../protocol/waiting';
import type { IGovernanceModel } from '../tokens';
import { useNow } from '../widgets/clock';
import { type Highlight, Highlighting } from '../widgets/highlighting';
import { NotationContext } from '../widgets/notation';
import type { Notation } from '../words/notation';

/** The box below one cell with a card for each approval request and each call at a limit that makes the cell wait. */
export class WaitingCard extends ReactWidget {
  constructor(options: WaitingCard.IOptions) {
    super();
    this._options = options;
    this.addClass('aumos-WaitingCell');
    this.node.setAttribute('role', 'group');
    this.node.setAttribute(
      'aria-label',
      options.trans.__('This cell waits for you')
    );
    options.model.changed.connect(this.update, this);
  }

  override dispose(): void {
    this._options.model.changed.disconnect(this.update, this);
    super.dispose();
  }

  /** Replace the requests in the box; both lists are oldest first. */
  setRequests(
    approvals: readonly IApproval[],
    limits: readonly ILimitRequest[]
  ): void {
    this._approvals = approvals;
    this._limits = limits;
    this.update();
  }

  /**
   * Move the focus to the card of the request with an id, not to one of its buttons. Return false if the box has no
   * such card.
   */
  lead(id: string): boolean {
    const card = [
      ...this.node.querySelectorAll<HTMLElement>('.aumos-Card')
    ].find(({ dataset }) => id === (dataset.approval ?? dataset.limit));
    card?.scrollIntoView({ block: 'nearest' });
    card?.focus();
    return card !== undefined;
  }

  protected override render(): React.JSX.Element {
    const { highlight, notation, ...options } = this._options;
    return (
      <Highlighting.Provider value={highlight}>
        <NotationContext.Provider value={notation}>
          {this._approvals.map(approval => (
            <Request key={approval.id} approval={approval} {...options} />
          ))}
          {this._limits.map(request => (
            <AtLimit key={request.id} request={request} {...options} />
          ))}
        </NotationContext.Provider>
      </Highlighting.Provider>
    );
  }

  private readonly _options: WaitingCard.IOptions;
  private _approvals: readonly IApproval[] = [];
  private _limits: readonly ILimitRequest[] = [];
}

/** A namespace for the types that belong to `WaitingCard`. */
export namespace WaitingCard {
  /** The options of the constructor of `WaitingCard`. */
  export interface IOptions {
    actions: ILimitActions;
    decisions: IDecisions;
    highlight: Highlight | null;
    model: IGovernanceModel;
    notation: Notation;
    /** Called after the user has decided a request; it moves the focus back to the notebook. */
    onDecided: () => void;
    trans: TranslationBundle;
  }
}

/** The card of one waiting request. */
function Card(props: {
  children: (title: string) => React.ReactNode;
  heading: string;
  /** The attribute of the card's element whose value is the id of the request, by which `lead` finds the card. */
  of: { 'data-approval': string } | { 'data-limit': string };
}): React.JSX.Element {
  const title = React.useId();
  return (
    <section
      className="aumos-Card"
      {...props.of}
      tabIndex={-1}
      aria-labelledby={title}
    >
      <p className="aumos-WaitingCell-title">{props.heading}</p>
      {props.children(title)}
    </section>
  );
}

type Parts = Omit<WaitingCard.IOptions, 'highlight' | 'notation'>;

function AtLimit(props: Parts & { request: ILimitRequest }): React.JSX.Element {
  const { actions, model, onDecided, request, trans } = props;
  return (
    <Card
      heading={trans.__('Waits at the limit')}
      of={{ 'data-limit': request.id }}
    >
      {title => (
        <>
          <LimitFacts
            isAtCell
            isElsewhere={false}
            model={model}
            request={request}
            title={title}
            trans={trans}
          />
          <LimitButtons
            actions={actions}
            after={onDecided}
            model={model}
            request={request}
            trans={trans}
          />
        </>
      )}
    </Card>
  );
}

function Request(props: Parts & { approval: IApproval }): React.JSX.Element {
  const { approval, decisions, model, onDecided, trans } = props;
  const now = useNow();
  return (
    <Card
      heading={trans.__('Waits for your approval')}
      of={{ 'data-approval': approval.id }}
    >
      {title => (
        <>
          <ApprovalFacts
            // The card is below its cell, so a link to the cell is left out.
            approval={{ ...approval, cell: { id: null, count: null } }}
            isElsewhere={false}
            now={now}
            state={model.stateOf(approval.notebook)}
            title={title}
            trans={trans}
          />
          <DecideButtons
            model={model}
            onUserPress={() => decisions.open(approval, onDecided)}
            trans={trans}
          />
        </>
      )}
    </Card>
  );
}
