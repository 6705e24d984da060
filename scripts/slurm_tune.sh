#!/usr/bin/env bash
# Tunes adapters on a cluster, from a folder that `socialite snapshot export` wrote. The cluster never sees the store.
#
#   sbatch scripts/slurm_tune.sh SNAPSHOT ADAPTERS [options of `socialite tune`]
#
# Copy the snapshot and this checkout (with its environment made: python3 scripts/demo.py --no-label-studio, or pip)
# to the cluster; afterwards copy ADAPTERS back and run: socialite adapters register ADAPTERS --project KEY
# It is put back into the queue when the cluster needs the node, and goes on at its last checkpoint.
#SBATCH --job-name=socialite-tune
#SBATCH --gres=gpu:1
#SBATCH --cpus-per-task=4
#SBATCH --mem=48G
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=socialite-tune-%j.log
set -euo pipefail

if [ "$#" -lt 2 ]; then
    echo "Give the exported snapshot's folder and a new folder for the adapters." >&2
    exit 2
fi
snapshot=$1
adapters=$2
shift 2

# The folder that the job was sent from is the checkout, unless SOCIALITE_CHECKOUT names it: SLURM runs a copy of this file.
checkout=${SOCIALITE_CHECKOUT:-${SLURM_SUBMIT_DIR:-$(pwd)}}
socialite=${SOCIALITE_COMMAND:-$checkout/.socialite/venv/bin/socialite}
if [ ! -x "$socialite" ]; then
    echo "There is no socialite at $socialite. Send the job from the checkout, or set SOCIALITE_COMMAND." >&2
    exit 2
fi
export HF_HUB_OFFLINE=1 # nodes rarely have internet: fetch the model on the login node first
exec "$socialite" tune "$snapshot" -o "$adapters" --engine causal --device cuda "$@"
