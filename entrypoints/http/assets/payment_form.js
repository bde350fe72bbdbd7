"use strict";
// What both ways to pay share: `pay()` sends the buyer on, or fails with a Refusal that is shown to them.

class Refusal extends Error {
  constructor(message, field) {
    super(message);
    this.field = field; // the form's field that it is about, if it is about one
  }
}

const form = document.getElementById("pay");
const back = location.origin + location.pathname.replace(/\/$/, "") + "/return";

function takePayment(pay) {
  const refusal = document.getElementById("refusal");
  const progress = document.getElementById("progress");
  const button = form.querySelector("button[type=submit]");
  const words = button.textContent;

  function busy(is) {
    form.setAttribute("aria-busy", is);
    // Not `disabled`: that would take the keyboard's place on the page away.
    button.setAttribute("aria-disabled", is);
    button.textContent = is ? "Paying…" : words;
    progress.textContent = is ? "Paying…" : "";
  }

  function tell(message, field) {
    for (const each of form.elements) each.removeAttribute("aria-invalid");
    refusal.textContent = message;
    if (!message) return;
    if (field) field.setAttribute("aria-invalid", "true");
    (field || refusal).focus();
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.getAttribute("aria-disabled") === "true") return; // one payment at a time
    tell("");
    busy(true);
    try {
      await pay();
    } catch (error) {
      busy(false);
      if (error instanceof Refusal) tell(error.message, error.field);
      else tell("The payment could not be sent. Please try again.");
    }
  });
}

// Paid or canceled elsewhere, such as in another tab: the page behind `back` says how it stands.
const isOver = (error) => error.code === "payment_intent_unexpected_state";

for (const time of document.querySelectorAll("time")) {
  const how = { day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short" };
  time.textContent = new Date(time.dateTime).toLocaleString("en-GB", how);
}
form.hidden = false;
