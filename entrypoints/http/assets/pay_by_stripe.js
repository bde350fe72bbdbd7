"use strict";
// Mounts Stripe's Payment Element (docs.stripe.com/payments/payment-element); card data goes to Stripe alone.
(() => {
  const form = document.getElementById("pay");
  const refusal = document.getElementById("refusal");
  const button = form.querySelector("button[type=submit]");
  const words = button.textContent;
  const { key, secret } = form.dataset;
  const back = new URL(location.pathname.replace(/\/$/, "") + "/return", location.href).href;
  form.hidden = false;
  if (!window.Stripe) {
    refusal.textContent = "The payment form could not be loaded. Check your connection and reload this page.";
    button.hidden = true;
    return;
  }
  const stripe = window.Stripe(key);
  const elements = stripe.elements({ clientSecret: secret });
  elements.create("payment").mount("#element");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    refusal.textContent = "";
    button.disabled = true;
    button.textContent = "Paying…";
    const { error } = await stripe.confirmPayment({ elements, confirmParams: { return_url: back } });
    // Only a refusal comes back here: otherwise the browser is on its way.
    refusal.textContent = (error && error.message) || "The payment could not be sent. Please try again.";
    button.disabled = false;
    button.textContent = words;
  });
})();
