// Mounts Stripe's Payment Element (docs.stripe.com/payments/payment-element); card data goes to Stripe alone.
// Its library is deferred: it has run, or could not be had, once the document is loaded.
document.addEventListener("DOMContentLoaded", () => {
  const { key, intents, secret } = form.dataset;
  const button = form.querySelector("button[type=submit]");
  const status = form.querySelector("#element [role=status]");

  function cannotLoad() {
    status.remove();
    document.getElementById("refusal").textContent =
      "The payment form could not be loaded. Check your connection and reload this page.";
    button.hidden = true;
  }

  if (!window.Stripe) return cannotLoad();
  const stripe = window.Stripe(key);
  const theme = matchMedia("(prefers-color-scheme: dark)").matches ? "night" : "stripe";
  const elements = stripe.elements({ clientSecret: secret, appearance: { theme } });
  const element = elements.create("payment");
  element.on("ready", () => {
    status.remove();
    button.hidden = false;
  });
  element.on("loaderror", cannotLoad);
  element.mount("#element");

  takePayment(async () => {
    // docs.stripe.com/payments/save-and-reuse: an intent that leaves a payment method has a call of its own.
    const confirm = intents === "setup_intents" ? "confirmSetup" : "confirmPayment";
    const { error } = await stripe[confirm]({ elements, confirmParams: { return_url: back } });
    // Only a refusal comes back here: otherwise the browser is on its way.
    if (isOver(error)) return location.assign(back);
    throw ["card_error", "validation_error"].includes(error.type) ? new Refusal(error.message) : error;
  });
});
form.querySelector("button[type=submit]").hidden = true; // until there is something to fill in
