"use strict";
// What both ways to pay, or to leave a payment method, share: `pay()` sends the buyer on, or fails with a
// Refusal that is shown to them.

class Refusal extends Error {
  constructor(message, field) {
    super(message);
    this.field = field; // the form's field that it is about, if it is about one
  }
}

const form = document.getElementById("pay");
const back = location.origin + location.pathname.replace(/\/$/, "") + "/return";

// The other forms, as they were when the page came: what a buyer has written since, or what was refused, is
// not part of the order yet.
const written = (other) => new URLSearchParams(new FormData(other)).toString();
const others = [...document.querySelectorAll("form.change")].map((other) => [other, written(other)]);
const isUnsent = ([other, before]) => written(other) !== before || other.querySelector("[aria-invalid]") !== null;

function takePayment(pay) {
  const refusal = document.getElementById("refusal");
  const progress = document.getElementById("progress");
  const button = form.querySelector("button[type=submit]");
  const words = button.textContent;
  const working = form.dataset.busy;

  function busy(is) {
    form.setAttribute("aria-busy", is);
    // Not `disabled`: that would take the keyboard's place on the page away.
    button.setAttribute("aria-disabled", is);
    button.textContent = is ? working : words;
    progress.textContent = is ? working : "";
  }

  function tell(message, field) {
    for (const each of form.elements) each.removeAttribute("aria-invalid");
    refusal.textContent = message;
    if (!message) return;
    if (field) field.setAttribute("aria-invalid", "true");
    (field || refusal).focus();
  }

  function sendFirst(other) {
    const send = other.querySelector("button");
    const folded = other.closest("details");
    if (folded) folded.open = true;
    refusal.textContent = `Your change is not part of the order yet: first press “${send.textContent}”.`;
    send.focus();
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.getAttribute("aria-disabled") === "true") return; // one payment at a time
    const unsent = others.find(isUnsent);
    if (unsent) return sendFirst(unsent[0]);
    tell("");
    busy(true);
    try {
      await pay();
    } catch (error) {
      busy(false);
      if (error instanceof Refusal) tell(error.message, error.field);
      else tell("This could not be sent. Please try again.");
    }
  });
}

// Paid, set up or canceled elsewhere, such as in another tab: the page behind `back` says how it stands.
const isOver = (error) => ["payment_intent_unexpected_state", "setup_intent_unexpected_state"].includes(error.code);

for (const time of document.querySelectorAll("time")) {
  const how = { day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short" };
  time.textContent = new Date(time.dateTime).toLocaleString("en-GB", how);
}
form.hidden = false;
