import { caretDownIcon, checkIcon } from '@jupyterlab/ui-components';
import React from 'react';
import { type ITrustLevel, trustLevels } from '../../words/labels';
import { Button, buttonClass } from '../../widgets/button';
import { useAction, usePermission } from '../../widgets/hooks';
import { UserButton } from '../../widgets/userButton';
import type { IPanelSection, ISectionProps } from '../../tokens';
import { ErrorLine } from '../../widgets/words';

/** The section with a notebook's trust level. The user changes the level there. */
export const trustSection: IPanelSection = {
  id: 'trust',
  rank: 20,
  title: trans => trans.__('Trust level'),
  Body: Trust,
  Badge: ({ state }) => <>{`L${state?.trust_level ?? 0}`}</>,
  isShown: ({ state }) => state?.active === true && state.trust_level !== null
};

function Trust(props: ISectionProps): React.JSX.Element | null {
  const { trans, state, path, model, api } = props;
  const [isOpen, setOpen] = React.useState(false);
  const [choice, setChoice] = React.useState<ITrustLevel | null>(null);
  const change = useAction(trans);
  const current = React.useRef<HTMLButtonElement>(null);
  const levels = trustLevels(trans);
  const currentLevel = levels[state?.trust_level ?? 0];
  if (path === null || !state || !currentLevel) {
    return null;
  }
  const close = (): void => {
    setOpen(false);
    setChoice(null);
    change.clear();
    current.current?.focus();
  };
  const set = (level: ITrustLevel): void =>
    change.run(async key => {
      const values = { trust_level: level.level };
      model.learn(await api.session.change(path, values, key));
      close();
    });
  return (
    <>
      <button
        ref={current}
        type="button"
        className="aumos-Trust-current"
        data-lead=""
        aria-expanded={isOpen}
        title={trans.__('Choose another trust level')}
        onClick={() => (isOpen ? close() : setOpen(true))}
      >
        <LevelName level={currentLevel} />
        <caretDownIcon.react tag="span" className="aumos-Trust-caret" />
      </button>
      {!isOpen && (
        <p className="aumos-Trust-sentence">{currentLevel.sentence}</p>
      )}
      {isOpen && (
        <Ladder
          {...props}
          levels={levels}
          currentLevel={currentLevel}
          choice={choice}
          onTighter={set}
          onLooser={setChoice}
          onEscape={close}
        />
      )}
      {isOpen && choice && choice.level > currentLevel.level && (
        <Confirmation
          {...props}
          choice={choice}
          isPending={change.isPending}
          onConfirm={() => set(choice)}
          onCancel={() => setChoice(null)}
        />
      )}
      <ErrorLine message={change.message} />
    </>
  );
}

/** The six trust levels to choose from. A lower level is set at once; a higher level must be confirmed. */
function Ladder(
  props: ISectionProps & {
    levels: readonly ITrustLevel[];
    currentLevel: ITrustLevel;
    choice: ITrustLevel | null;
    onTighter: (level: ITrustLevel) => void;
    onLooser: (level: ITrustLevel) => void;
    onEscape: () => void;
  }
): React.JSX.Element {
  const { levels, currentLevel, choice, trans, model } = props;
  const { isDisabled, why } = usePermission(model, trans);
  const max = model.config?.max_trust_level ?? 5;
  const chosen = choice ?? currentLevel;
  const group = React.useRef<HTMLDivElement>(null);
  React.useEffect(() => {
    group.current?.querySelector<HTMLElement>('[aria-checked="true"]')?.focus();
  }, []);
  const onKey = (event: React.KeyboardEvent): void => {
    const step = STEPS[event.key];
    if (event.key === 'Escape') {
      event.stopPropagation();
      props.onEscape();
    } else if (step !== undefined) {
      const radios = [
        ...(group.current?.querySelectorAll<HTMLElement>('[role=radio]') ?? [])
      ];
      const at = radios.findIndex(radio => radio === document.activeElement);
      event.preventDefault();
      radios[(at + step + radios.length) % radios.length]?.focus();
    }
  };
  return (
    <div
      ref={group}
      className="aumos-Trust-ladder"
      role="radiogroup"
      aria-label={trans.__('Trust level')}
      onKeyDown={onKey}
    >
      {levels.map(level => (
        <UserButton
          key={level.level}
          className="aumos-Trust-level"
          role="radio"
          isChecked={level.level === chosen.level}
          tabIndex={level.level === chosen.level ? 0 : -1}
          isDisabled={isDisabled || level.level > max}
          why={why ?? trans.__('The server allows at most %1.', `L${max}`)}
          onUserPress={() => {
            if (level.level > currentLevel.level) {
              props.onLooser(level);
            } else if (level.level < currentLevel.level) {
              props.onTighter(level);
            } else {
              props.onEscape();
            }
          }}
        >
          <span className="aumos-Trust-check">
            {level.level === currentLevel.level && (
              <checkIcon.react tag="span" />
            )}
          </span>
          <span className="aumos-Trust-text">
            <LevelName level={level} />
            <span className="aumos-Trust-sentence">{level.sentence}</span>
          </span>
        </UserButton>
      ))}
    </div>
  );
}

const STEPS: Readonly<Record<string, number>> = {
  ArrowDown: 1,
  ArrowRight: 1,
  ArrowUp: -1,
  ArrowLeft: -1
};

/** Asks the user to confirm that the trust level is to be raised. */
function Confirmation(
  props: ISectionProps & {
    choice: ITrustLevel;
    isPending: boolean;
    onConfirm: () => void;
    onCancel: () => void;
  }
): React.JSX.Element {
  const { choice, trans, model } = props;
  const confirmation = React.useRef<HTMLDivElement>(null);
  React.useEffect(() => {
    // The list of levels may fill the panel, so that the confirmation below it would be out of view.
    confirmation.current?.scrollIntoView({ block: 'nearest' });
  }, [choice.level]);
  return (
    <div ref={confirmation} className="aumos-Confirmation" role="group">
      <p>
        {trans.__('Allow this notebook to do more than now?')} {choice.sentence}
      </p>
      <div className="aumos-Actions">
        <UserButton
          className={buttonClass}
          kind="danger"
          {...usePermission(model, trans)}
          {...(props.isPending && { isDisabled: true })}
          onUserPress={props.onConfirm}
        >
          {trans.__('Raise to %1', choice.short)}
        </UserButton>
        <Button onClick={props.onCancel}>{trans.__('Cancel')}</Button>
      </div>
    </div>
  );
}

function LevelName(props: { level: ITrustLevel }): React.JSX.Element {
  return (
    <span className="aumos-Trust-name">
      <span className="aumos-Trust-badge" data-level={props.level.level}>
        {props.level.short}
      </span>
      <span className="aumos-Trust-label">{props.level.label}</span>
    </span>
  );
}
