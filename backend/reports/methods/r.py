"""`analysis.R`: the report's shares computed again from the table, and regressions that allow for the model's errors.

Base R does all of it; where the package `dsl` is installed, its `lm` and `logit` are run on the same rows.
"""

from __future__ import annotations

from collections.abc import Iterable

from backend.findings.table import AnalysisTable
from backend.reports.methods.shown import covariate, outcome

_SCRIPT = r"""# Corrected estimates from table.csv; data-dictionary.csv says what its columns are.
#
#   Rscript analysis.R        in this folder; writes estimates.csv and regression.csv
#
# Parts 1 and 2 need nothing but R. Part 3 needs the package dsl (Egami, Hinck, Stewart & Wei):
#   install.packages("devtools"); devtools::install_github("naoki-egami/dsl", dependencies = TRUE)

outcomes <- data.frame(
  outcome = c(@OUTCOMES@),
  question = c(@QUESTIONS@),
  binary = c(@BINARY@),
  stringsAsFactors = FALSE
)
# Of an outcome <o> of a question <q>: <o>_pred is the model's, <o>_gold people's of the sample, <q>_pi the chance of a
# row's text to be in the sample, <q>_r whether it is, with a known label. Put another outcome and other columns here:
chosen <- c(@CHOSEN@)
covariates <- c(@COVARIATES@)
opened <- @OPENED@  # is the final test open? Before that the model's labels of audit texts are not in the table
seed <- @SEED@

d <- read.csv("table.csv", na.strings = "", stringsAsFactors = FALSE, fileEncoding = "UTF-8")

rows_of <- function(one) {
  stems <- c(outcomes$question[outcomes$outcome == one], one)
  s <- d[which(d[[paste0(stems[1], "_pi")]] > 0), , drop = FALSE]
  s$pi <- as.numeric(s[[paste0(stems[1], "_pi")]])
  s$labeled <- as.numeric(s[[paste0(stems[1], "_r")]])
  s$gold <- as.numeric(s[[paste0(one, "_gold")]])
  s$pred <- as.numeric(s[[paste0(one, "_pred")]])
  s
}

# ---- 1: how often, over the rows of the corpus -------------------------------------------------------------------
# The model's mean, people's mean of the sample, and both together: people + lambda * (model everywhere - model in the
# sample), with the lambda between 0 and 1 that makes the variance smallest. Clusters are what was drawn. The report
# prints no interval where fewer than 3 coded clusters have the label, or lack it, or fewer than 10 are coded.

bounds <- function(value, variance, df, clusters, binary) {
  t <- if (df > 0) qt(0.975, df) else NaN
  if (!binary) return(value + c(-1, 1) * t * sqrt(variance))
  spread <- value * (1 - value)
  size <- if (spread <= 0) clusters else if (variance > 0) spread / variance else Inf
  middle <- (value + t^2 / (2 * size)) / (1 + t^2 / size)
  half <- sqrt(t^2 * (spread / size + t^2 / (4 * size^2))) / (1 + t^2 / size)
  c(max(middle - half, 0), min(middle + half, 1))
}

# Rows of a cluster that have the label if any does, or lack it, whichever is less; in mean cluster sizes.
together <- function(have, rows) {
  each <- function(x) if (any(x > 0)) sum(x) / sum(x > 0) else Inf
  min(each(have), each(rows - have)) / mean(rows)
}

# For a share the variance is had as if the model had missed the label in one more cluster, and given it wrongly in
# another.
mean_of <- function(one, binary) {
  s <- rows_of(one)
  k <- s[s$labeled == 1, , drop = FALSE]
  known <- nrow(s) > 0 && !anyNA(s$pred)
  if (!nrow(k)) {
    return(data.frame(outcome = one, rows = nrow(s), coded = 0, clusters = 0, have = 0, lack = 0, naive = NA,
      human = NA, human_lower = NA, human_upper = NA, corrected = NA, corrected_lower = NA, corrected_upper = NA,
      lambda = NA))
  }
  if (!known) k$pred <- 0
  draws <- sort(unique(s$draw))
  draw <- match(s$draw, draws)
  share <- tabulate(draw, length(draws)) / nrow(s)
  left <- 1 - as.vector(tapply(s$pi, draw, mean))
  u <- rowsum(data.frame(m = 1, y = k$gold, z = k$pred), k$cluster)
  g <- match(k$draw[match(rownames(u), k$cluster)], draws)
  n <- tabulate(g, length(draws))
  total <- function(x) as.vector(tapply(x, factor(g, seq_along(draws)), sum))
  m <- total(u$m)
  y <- total(u$y) / m
  z <- total(u$z) / m
  e <- u$y - u$m * y[g]
  f <- u$z - u$m * z[g]
  w <- (share^2 * left * n / (n - 1) / m^2)[g]
  human <- sum(share * y)
  sampled <- sum(share * z)
  lambda <- if (isTRUE(sum(w * f^2) > 0)) min(max(sum(w * e * f) / sum(w * f^2), 0), 1) else 0
  variance <- sum(w * (e - lambda * f)^2)
  clusters <- nrow(u)
  if (binary && clusters > 1) {
    missed <- (1 - human) + lambda * sampled
    mistaken <- -human - lambda * (1 - sampled)
    more <- (missed^2 + mistaken^2 - (missed + mistaken)^2 / (clusters + 2)) * together(u$y, u$m)^2
    units <- s$pi[!duplicated(s$cluster)]
    variance <- variance * (clusters - 1) / (clusters + 1) +
      max(1 - mean(units), 0) * more / ((clusters + 1) * clusters)
  }
  df <- clusters - length(draws)
  have <- sum(u$y > 0)
  lack <- sum(u$y < u$m)
  # where rows are tied, how much they vary is known from the clusters that have a rare label
  if (binary && any(u$m > 1)) df <- min(df, max(min(have, lack), 1))
  naive <- if (known) mean(s$pred) else NA
  corrected <- if (known) human + lambda * (naive - sampled) else NA
  by_people <- bounds(human, sum(w * e^2), df, clusters, binary)
  by_both <- if (known) bounds(corrected, variance, df, clusters, binary) else c(NA, NA)
  data.frame(outcome = one, rows = nrow(s), coded = nrow(k), clusters = clusters, have = have, lack = lack,
    naive = naive, human = human, human_lower = by_people[1], human_upper = by_people[2],
    corrected = corrected, corrected_lower = by_both[1], corrected_upper = by_both[2],
    lambda = if (known) lambda else NA)
}

estimates <- do.call(rbind, Map(mean_of, outcomes$outcome, outcomes$binary))
if (is.null(estimates)) {
  cat("The codebook has no question with labels, so there is no share to correct.\n")
} else {
  rownames(estimates) <- NULL
  print(estimates, digits = 4)
  write.csv(estimates, "estimates.csv", row.names = FALSE)
}

# ---- 2: regressions by hand -----------------------------------------------------------------------------------------
# Design-based supervised learning: the outcome of a row is the model's label, plus (people's - the model's) / chance
# where people's is known. Chances are scaled so that the weights of the known rows add up to all rows, as dsl does.

regression_rows <- function(one) {
  s <- rows_of(one)
  s <- s[complete.cases(s[covariates]), , drop = FALSE]
  weight <- s$labeled / s$pi
  weight <- weight * nrow(s) / sum(weight)
  s$design_based <- s$pred + ifelse(s$labeled == 1, weight * (s$gold - s$pred), 0)
  s
}

right_side <- function(s) {
  vary <- covariates[vapply(covariates, function(x) length(unique(s[[x]])) > 1, TRUE)]
  if (length(vary)) vary else "1"
}

fit <- function(s, logit) {
  x <- model.matrix(reformulate(right_side(s)), s)
  b <- rep(0, ncol(x))
  for (turn in 1:100) {
    p <- if (logit) plogis(as.vector(x %*% b)) else as.vector(x %*% b)
    slope <- crossprod(x * (if (logit) p * (1 - p) else 1), x)
    step <- solve(slope, crossprod(x, s$design_based - p))
    b <- b + as.vector(step)
    if (max(abs(step)) < 1e-10) break
  }
  if (max(abs(step)) >= 1e-10) stop("The logit did not converge: the outcome is too rare, or too few texts are coded.")
  p <- if (logit) plogis(as.vector(x %*% b)) else as.vector(x %*% b)
  scores <- rowsum(x * (s$design_based - p), s$cluster)  # standard errors are clustered
  bread <- solve(crossprod(x * (if (logit) p * (1 - p) else 1), x))
  se <- sqrt(diag(bread %*% crossprod(scores) %*% bread))
  data.frame(model = if (logit) "logit" else "lm", term = colnames(x), estimate = b, se = se,
    lower = b - qnorm(0.975) * se, upper = b + qnorm(0.975) * se)
}

if (!opened) {
  cat("The test is not open, so the model's labels of audit texts are not in the table and nothing can be corrected.\n")
  cat("Run `socialite open-test`, then `socialite methods` again, and this file on the new table.\n")
} else if (length(chosen)) {
  s <- regression_rows(chosen)
  if (anyNA(s$pred)) stop("Not all rows have a label of the model: run `socialite push`, then `socialite methods`.")
  found <- rbind(fit(s, FALSE), fit(s, TRUE))
  rownames(found) <- NULL
  print(found, digits = 4)
  write.csv(found, "regression.csv", row.names = FALSE)

  # ---- 3: the same with the package dsl -----------------------------------------------------------------------------
  if (requireNamespace("dsl", quietly = TRUE)) {
    gold <- paste0(chosen, "_gold")
    pred <- paste0(chosen, "_pred")
    s <- s[c("cluster", "pi", "labeled", gold, pred, covariates)]
    for (model in c("lm", "logit")) {
      result <- dsl::dsl(
        model = model, formula = reformulate(right_side(s), gold), predicted_var = gold, prediction = pred, data = s,
        cluster = "cluster", labeled = "labeled", sample_prob = "pi", seed = seed
      )
      print(summary(result))
    }
  } else {
    cat("The package dsl is not installed: part 3 was left out. The first lines of this file say how to get it.\n")
  }
} else {
  cat("No outcome is chosen: people's labels of the sample are all alike, or there are none.\n")
}
"""


def analysis_r(table: AnalysisTable, seed: int) -> str:
    """The script for a table, which lies beside it."""
    first, column = outcome(table), covariate(table)
    values = {
        "OUTCOMES": _listed(one.stem for one in table.outcomes),
        "QUESTIONS": _listed(one.pi.removesuffix("_pi") for one in table.outcomes),
        "BINARY": ", ".join("TRUE" if one.binary else "FALSE" for one in table.outcomes),
        "CHOSEN": _listed([first.stem] if first else []),
        "COVARIATES": _listed([column.name] if column else []),
        "OPENED": "TRUE" if table.opened else "FALSE",
        "SEED": str(seed),
    }
    script = _SCRIPT
    for name, value in values.items():
        script = script.replace(f"@{name}@", value)
    return script


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
