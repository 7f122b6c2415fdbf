import { SectionMemory } from '../../panel/sectionMemory';

describe('what the panel remembers of its sections', () => {
  function storage(kept: string | null): Pick<Storage, 'getItem' | 'setItem'> {
    return {
      getItem: () => kept,
      setItem: (_, value) => {
        kept = value;
      }
    };
  }

  it('is whether each was left open', () => {
    const kept = storage(null);
    new SectionMemory(kept).remember('budget', false);
    new SectionMemory(kept).remember('audit', true);
    const memory = new SectionMemory(kept);
    expect(memory.isOpen('budget')).toBe(false);
    expect(memory.isOpen('audit')).toBe(true);
    expect(memory.isOpen('trust')).toBeUndefined();
  });

  it.each(['', 'null', '[]', '{"budget": "no"}', '{'])(
    'is nothing where the browser kept %j',
    kept => {
      const memory = new SectionMemory(storage(kept));
      expect(memory.isOpen('budget')).toBeUndefined();
      memory.remember('budget', true);
      expect(memory.isOpen('budget')).toBe(true);
    }
  );

  it('is nothing where the browser keeps nothing', () => {
    const refuses = (): never => {
      throw new DOMException('No room.', 'QuotaExceededError');
    };
    const memory = new SectionMemory({ getItem: refuses, setItem: refuses });
    memory.remember('budget', false);
    expect(memory.isOpen('budget')).toBeUndefined();
  });
});
