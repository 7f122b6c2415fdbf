import { PanelSubject } from '../../panel/subject';
import { FakeModel } from '../support/fakes';
import { sampleState } from '../support/samples';

describe('PanelSubject', () => {
  let model: FakeModel;
  let subject: PanelSubject;
  const changed = vi.fn();

  beforeEach(() => {
    changed.mockClear();
    model = new FakeModel();
    model.show(sampleState('active', { path: 'front.ipynb' }));
    subject = new PanelSubject(model);
    subject.changed.connect(changed);
  });

  it('is the notebook in front', () => {
    expect(subject.path).toBe('front.ipynb');
    expect(subject.state?.path).toBe('front.ipynb');
    expect(subject.isFollowed).toBe(false);
  });

  it('can be another one, until one comes to the front', () => {
    subject.follow('other.ipynb');
    expect(subject.path).toBe('other.ipynb');
    expect(subject.isFollowed).toBe(true);
    model.become({ state: sampleState('held') });
    expect(subject.path).toBe('other.ipynb');
    model.show(sampleState('active', { path: 'third.ipynb' }));
    expect(subject.path).toBe('third.ipynb');
    expect(changed).toHaveBeenCalledTimes(2);
  });

  it('stays with the followed one when none is in front any more', () => {
    subject.follow('other.ipynb');
    model.become({ path: null, state: null });
    expect(subject.path).toBe('other.ipynb');
    subject.follow(null);
    expect(subject.path).toBeNull();
  });

  it('does not follow the one in front', () => {
    subject.follow('front.ipynb');
    expect(subject.isFollowed).toBe(false);
    expect(changed).not.toHaveBeenCalled();
  });

  it('is silent once disposed', () => {
    subject.dispose();
    model.become({ path: null, state: null });
    expect(changed).not.toHaveBeenCalled();
  });
});
