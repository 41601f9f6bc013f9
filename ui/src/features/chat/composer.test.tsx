import { createEvent, fireEvent, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { renderPart } from "@/test/render-app";
import { Composer } from "./composer";

function compose() {
  const onSend = vi.fn();
  renderPart(<Composer isAnswering={false} onSend={onSend} onStop={() => undefined} />);
  return { onSend, area: screen.getByRole("textbox") };
}

describe("writing a message", () => {
  it("is sent by Enter, and Shift+Enter starts a new line", async () => {
    const { onSend, area } = compose();
    await userEvent.type(area, "one{Shift>}{Enter}{/Shift}two{Enter}");
    expect(onSend).toHaveBeenCalledExactlyOnceWith("one\ntwo");
    expect(area).toHaveValue("");
  });

  it("is not sent by the Enter that ends a Korean syllable", () => {
    const { onSend, area } = compose();
    fireEvent.change(area, { target: { value: "안녕" } });
    fireEvent(area, createEvent.keyDown(area, { key: "Enter", isComposing: true }));
    fireEvent.keyDown(area, { key: "Enter", keyCode: 229 });
    expect(onSend).not.toHaveBeenCalled();
    fireEvent.keyDown(area, { key: "Enter", keyCode: 13 });
    expect(onSend).toHaveBeenCalledExactlyOnceWith("안녕");
  });

  it("is not sent when there is nothing in it", async () => {
    const { onSend, area } = compose();
    await userEvent.type(area, "   {Enter}");
    expect(onSend).not.toHaveBeenCalled();
  });
});
